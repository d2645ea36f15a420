"""The kinds of error: each a sentence, its next step and its exit code."""

from __future__ import annotations

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What a full, broken or read-only disk says, or one that belongs to somebody else.
UNWRITABLE = frozenset(getattr(errno, name) for name in "EACCES EPERM EROFS ENOSPC EDQUOT EFBIG EIO".split())

# What each exit code of rigger means; the classes below say which error has which.
EXIT_CODES = {
    0: "done",
    1: "an error that nobody foresaw; the message says where the traceback is",
    2: "wrong usage, an invalid value, a named file or folder that does not exist, or values are missing and there is no "
    "terminal to ask on",
    3: "no environment, no cluster in it, its configuration is invalid, an upgrade of it is not finished, or another "
    "version is configured than runs",
    4: "a pre-flight check failed (a tool or a script is missing, no room, a disk that cannot be written ...): nothing "
    "was started",
    5: "a script failed or timed out, or something was left over",
    6: "tests failed, or a module does not conform",
    7: "the environment is locked by another run, or another record's run is at work on its nodes",
    8: "differences found (``--exit-code``, ``audit``, ``verify``); the cluster was changed with another record; a plan was approved "
    "(``--approved``) and what it was made of is another now",
    9: "a bundle, a statement, a manifest or a git input was refused",
    10: "declined: somebody, or a ``pre-`` hook, was asked and said no; nothing was changed",
    11: "an upgrade waits until somebody agrees to its next stage; what is done was judged well",
    12: "an upgrade was rolled back because a stage of it failed or was judged bad: what ran before runs again",
    130: "interrupted",
}


class RiggerError(Exception):
    """Something went wrong that a person can act on.

    `message` is one sentence that names the value and where it came from; `next_step` is what to type or
    do about it: sentences, and commands to copy on lines of their own (`text.ways`). `cli.main` is the one place that
    prints them.
    """

    exit_code = 1
    topic = ""  # the page that helps, for `rigger docs TOPIC`

    def __init__(self, message: str, next_step: str = ""):
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.result: Any = (
            None  # what was done until then, where that is worth a report: see operations/result.py
        )

    def with_result(self, result: Any) -> RiggerError:
        """Return it with what was done before it happened."""
        self.result = result
        return self


class BadUsage(RiggerError):
    """Wrong usage, an invalid value, or a value that is missing and cannot be asked for."""

    exit_code = 2


class InvalidConfig(RiggerError):
    """There is no environment, or what its files say cannot be used."""

    exit_code = 3


class NotReady(RiggerError):
    """A pre-flight check failed; nothing was started."""

    exit_code = 4


class Unwritable(InvalidConfig):
    """A file cannot be written, by no fault of what the environment's files say: there is no room, for example."""

    exit_code = NotReady.exit_code


def not_written(problem: OSError, message: str, next_step: str) -> InvalidConfig:
    """Return the error for a file that could not be written."""
    return (Unwritable if problem.errno in UNWRITABLE else InvalidConfig)(message, next_step)


class StepFailed(RiggerError):
    """A script failed, timed out, or gave back something unusable."""

    exit_code = 5


class CannotStart(StepFailed):
    """The system could not start a program."""


class ProcessTimedOut(StepFailed):
    """A helper program did not end in the time that it has."""


class TestsFailed(RiggerError):
    """At least one test of the platform failed."""

    exit_code = 6


class DoesNotConform(TestsFailed):
    """A module breaks the contract."""

    topic = "contract"


class Locked(RiggerError):
    """Another run holds the environment, or works on its nodes."""

    exit_code = 7
    request = ""  # the id of the request that is carried out there


class DifferencesFound(RiggerError):
    """What exists is not what is configured, or a record is not what was written."""

    exit_code = 8


class RecordBehind(DifferencesFound):
    """The cluster was changed with another record than this one, which does not know of it."""

    topic = "two-people"


class Refused(RiggerError):
    """A manifest, a bundle or a git input is not acceptable."""

    exit_code = 9


class ModuleRefused(Refused):
    """A module is not acceptable; `reason` is what is wrong with it, without where."""

    topic = "manifest"

    def __init__(self, where: str, reason: str, next_step: str = ""):
        super().__init__(f"{where} {reason}", next_step)
        self.reason = reason


class ModuleIncomplete(ModuleRefused):
    """A module lacks a script that it must have."""


class ProjectRefused(Refused):
    """The manifest of a project is not acceptable."""

    topic = "releases"


class Declined(RiggerError):
    """A person was asked, and said no; nothing was changed."""

    exit_code = 10


class Paused(RiggerError):
    """Somebody has to agree before more is done; what was done until then is whole."""

    exit_code = 11


class RolledBack(RiggerError):
    """A change did not do well, and was undone."""

    exit_code = 12


class Interrupted(RiggerError):
    """A person or the system asked rigger to stop."""

    exit_code = 130
