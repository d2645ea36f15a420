"""How git fails: what it said, told apart here and nowhere else, so that nobody steers by its words."""

from __future__ import annotations

import re

from rigger import text

# What a server, or git itself, says where less than everything cannot be fetched (with LC_ALL=C): git has one exit
# code for every failed fetch, so that its words are all there is.
_SPARING = re.compile("shallow|filter|dumb|not our ref|promisor|missing")


class GitError(Exception):
    """git did not do what it was asked to: `complaint` is the line of its errors that says most."""

    def __init__(self, complaint: str, exit_code: int | None = None, remedy: str = ""):
        super().__init__(complaint)
        self.complaint = complaint
        self.exit_code = exit_code  # None where it did not come to its end
        self.remedy = remedy  # the command that git itself proposes, nothing where it proposes none

    def next_step(self, otherwise: str) -> str:
        """Return git's own remedy as a next step, or another one where git has none."""
        return f"If you trust what is there, do what git says: {self.remedy}" if self.remedy else otherwise


class GitTimedOut(GitError):
    """git was not done in time."""


class NothingLeftOut(GitError):
    """A repository can be had whole, or not at all: without history or files left out it might."""


class NoSuchCommit(GitError):
    """A repository has no commit that begins with some digits."""


class AmbiguousCommit(GitError):
    """A repository has several commits that begin with some digits."""


def error_of(errors: bytes, exit_code: int) -> GitError:
    """Return the error for what git wrote and its exit code."""
    lines = [line.strip() for line in re.split(r"[\r\n]", errors.decode("utf-8", "replace")) if line.strip()]
    complaint = _complaint(lines, exit_code)
    remedy = next((line for line in lines if line.startswith("git config --global --add safe.directory")), "")
    kind = NothingLeftOut if _SPARING.search(complaint) else GitError
    return kind(complaint, exit_code, text.printable(remedy))


def _complaint(lines: list[str], exit_code: int) -> str:
    """Return the line of git's errors that says most: the first that it calls fatal, or ssh's before it."""
    complaints = [
        n for n, line in enumerate(lines) if line.startswith(("fatal: ", "error: ", "remote: fatal"))
    ]
    if not lines:
        return f"it exited {exit_code}"
    number = complaints[0] if complaints else len(lines) - 1
    if number and "Could not read from remote repository" in lines[number]:
        number -= 1
    return text.printable(re.sub(r"^(remote: )?(fatal|error): ", "", lines[number])).rstrip(".")
