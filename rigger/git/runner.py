"""Run git where its settings, hooks and prompts cannot run somebody else's code or ask at a terminal."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence

from rigger import text
from rigger.errors import Interrupted, NotReady, ProcessTimedOut, StepFailed
from rigger.files import temporary_folder
from rigger.git.errors import GitError, GitTimedOut, error_of
from rigger.git.urls import protocols
from rigger.process import capture
from rigger.process import step as step_process
from rigger.process.interrupts import Interrupts
from rigger.text import in_words
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TIMEOUT = 600.0  # seconds

CLONE_TIMEOUT = 3600.0  # seconds
STOP_GRACE = 3.0  # seconds that git has to clear up after Ctrl-C
LARGEST = 4 << 30  # bytes of a packed repository


SAY_EVERY = 0.1  # seconds between two words of progress


Say = Callable[[str], None]

# Nothing of a repository's own configuration may start a program.
_SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "uploadpack.packObjectsHook=",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "transfer.fsckObjects=true",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "fetch.prune=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=60",
    # Faults of old histories that harm nobody; without this, well-known repositories could not be fetched.
    *(
        f"fetch.fsck.{fault}=ignore"
        for fault in (
            "badTimezone",
            "missingNameBeforeEmail",
            "missingSpaceBeforeDate",
            "missingSpaceBeforeEmail",
            "zeroPaddedFilemode",
        )
    ),
)

# What a repository may say about itself: how its files are to be read, and what it lacks. No program is named.
_OWN = (
    "core.filemode core.ignorecase core.symlinks core.precomposeunicode core.autocrlf core.eol "
    "core.sparsecheckout core.sparsecheckoutcone extensions.objectformat extensions.refstorage "
    "remote.origin.promisor remote.origin.partialclonefilter"
).split()
_SHARED = ("objects", "refs", "packed-refs", "reftable", "shallow", "logs", "info", "worktrees")


# ---- looking ---------------------------------------------------------------------------------------------


def text_of(output: bytes) -> str:
    return output.decode("utf-8", "surrogateescape").strip()


@contextlib.contextmanager
def saying_what_failed(what: str) -> Iterator[None]:
    """Turn git's complaint into a sentence."""
    try:
        yield
    except GitError as problem:
        raise NotReady(f"{what}: {problem}.", problem.next_step("Put that right and try again.")) from None


# ---- running git -----------------------------------------------------------------------------------------


@frozen
class Repository:
    """A repository that git works on with settings of rigger's: `url` is what it may reach, "" for nothing."""

    folder: str
    common: str  # where its refs and objects lie
    url: str
    environ: dict[str, str] = field(repr=False)
    filtered: str = ""  # what was left out of it, as --filter says it

    def __call__(self, *words: str, input: bytes = b"", timeout: float = TIMEOUT) -> bytes:
        # Paths are those of the whole repository, wherever in it rigger was called.
        return git(None, *words, **self._how(), input=input, timeout=timeout, cwd="/")

    def loudly(self, *words: str, say: Say | None) -> None:
        """Run git and pass on its progress; Ctrl-C stops it and raises Interrupted."""
        _run(*words, **self._how(), say=say)

    def to_the_end(self, *words: str) -> None:
        """Run git where stopping half-way would leave a mixture; a Ctrl-C counts afterwards."""
        _run(*words, **self._how(), say=None, stoppable=False)

    def _how(self) -> dict[str, Any]:
        return {"environ": self.environ, "url": self.url, "bare": not self.url}


@contextlib.contextmanager
def opened(folder: str, url: str = "") -> Iterator[Repository]:
    """Give a repository to work on, whose own settings are set aside, by git's means for linked worktrees."""
    with opened_at(*git_folders(folder), folder, url) as git:
        yield git


@contextlib.contextmanager
def opened_at(git_dir: str, common: str, folder: str, url: str = "") -> Iterator[Repository]:
    """Give a repository whose HEAD and whose refs lie in two folders, and that need not have its files yet."""
    own = own_settings(common)
    with temporary_folder("rigger-git-") as shared:
        for name in _SHARED:
            os.symlink(os.path.join(common, name), os.path.join(shared, name))
        with open(os.path.join(shared, "config"), "w") as file:
            file.write(_settings(own, url))
        environ = {
            "GIT_DIR": git_dir,
            "GIT_COMMON_DIR": shared,
            "GIT_WORK_TREE": os.path.abspath(folder),
            "GIT_OPTIONAL_LOCKS": "0",
        }
        if not url:
            environ["GIT_NO_LAZY_FETCH"] = "1"
        filtered = own.get("remote.origin.partialclonefilter", "") if url else ""
        yield Repository(folder, common, url, environ, filtered)


def git_folders(folder: str) -> tuple[str, str]:
    """Return the folders of HEAD and of the refs; git itself refuses the repository of a stranger."""
    output = text_of(git(folder, "rev-parse", "--absolute-git-dir", "--git-common-dir")).splitlines()
    return output[0], os.path.normpath(os.path.join(os.path.abspath(folder), output[1]))


def own_settings(common: str) -> dict[str, str]:
    path = os.path.join(common, "config")
    output = git(None, "config", "--file", path, "--no-includes", "--list", "-z", bare=True)
    pairs = (entry.partition("\n") for entry in output.decode("utf-8", "surrogateescape").split("\0"))
    return {
        name: value for name, _, value in pairs if name in _OWN and re.fullmatch("[A-Za-z0-9:._-]*", value)
    }


def _settings(own: dict[str, str], url: str) -> str:
    """Return the text of a configuration: what a repository may say about itself, and the URL it is fetched from."""
    lines = ["[core]", "repositoryformatversion = 1", "bare = false", "logAllRefUpdates = true"]
    for name, value in own.items():
        section, _, key = name.rpartition(".")
        if section != "remote.origin":
            lines += [f"[{section}]", f"{key} = {value}"]
        elif url:
            lines += ['[remote "origin"]', f"{key} = {value}"]
    if url:
        escaped = url.replace("\\", "\\\\").replace('"', '\\"')
        lines += ['[remote "origin"]', f'url = "{escaped}"']
    return "\n".join(lines) + "\n"


def _command(words: Sequence[str], folder: str | None) -> list[str]:
    settings = [word for setting in _SAFE for word in ("-c", setting)]
    return ["git", *(["-C", folder] if folder else []), *settings, *words]


def _environ(url: str, bare: bool, extra: dict[str, str] | None) -> dict[str, str]:
    """Return the environment of git: nothing of whoever called rigger steers it, and nobody is asked anything."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SSH_ASKPASS"))
    }
    environ |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ALLOW_PROTOCOL": protocols(url) if url else "none",
        "LC_ALL": "C",
    }
    if bare:
        environ |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    return environ | (extra or {})


def git(
    folder: str | None,
    *words: str,
    bare: bool = False,
    url: str = "",
    environ: dict[str, str] | None = None,
    input: bytes = b"",
    timeout: float = TIMEOUT,
    cwd: str | None = None,
) -> bytes:
    """Run git and return what it printed; raises GitError. `bare` ignores the user's settings."""
    command, environ = _command(words, folder), _environ(url, bare, environ)
    with _needed(timeout):
        output = capture.capture(command, cwd=cwd, env=environ, input=input, timeout=timeout, limit=LARGEST)
    if output.exit_code:
        raise error_of(output.errors, output.exit_code)
    return output.output


def _run(
    *words: str,
    environ: dict[str, str],
    url: str,
    bare: bool,
    say: Say | None,
    stoppable: bool = True,
) -> None:
    """Run git, passing on what it says; raises GitError, Interrupted on Ctrl-C."""
    heard = _Heard(say)
    with Interrupts() as interrupts:
        with _needed(CLONE_TIMEOUT):
            outcome = step_process.run(
                _command(words, None),
                cwd="/",
                env=_environ(url, bare, environ),
                sink=heard.take,
                interrupts=interrupts if stoppable else Interrupts(),
                timeout=CLONE_TIMEOUT,
                grace=STOP_GRACE,
            )
        stopped = interrupts.requested()
    if stopped:
        raise Interrupted("Interrupted.", "Nothing is left half-made; type the same command to begin again.")
    if outcome.timed_out:
        raise GitTimedOut(f"it was not done after {in_words(CLONE_TIMEOUT)}")
    if outcome.exit_code:
        raise error_of(heard.last, outcome.exit_code)


class _Heard:
    """What git says while it works: its progress for whoever watches, the end of it for a complaint."""

    def __init__(self, say: Say | None):
        self.say = say
        self.last = b""
        self._said_at = 0.0

    def take(self, block: bytes) -> None:
        self.last = (self.last + block)[-4096:]
        now = time.monotonic()
        progress = re.findall(rb"[A-Z][a-z]+ [a-z]+: +[^\r\n]*%[^\r\n]*", block)
        if self.say and progress and now - self._said_at >= SAY_EVERY:
            self._said_at = now
            self.say(text.printable(progress[-1].decode("utf-8", "replace").strip()))


@contextlib.contextmanager
def _needed(timeout: float) -> Iterator[None]:
    try:
        yield
    except ProcessTimedOut:
        raise GitTimedOut(f"there was no answer within {in_words(timeout)}") from None
    except StepFailed as problem:
        raise NotReady(
            f"git is needed for the platform's checkout: {problem.message}", "Install git and try again."
        ) from None
