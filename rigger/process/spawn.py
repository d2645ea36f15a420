"""Start one program, in a session of its own, with the descriptors that it may have."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from rigger.errors import CannotStart

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Collection, Mapping, Sequence
    from typing import IO, Any, Protocol

    class Started(Protocol):
        """A program that was started, as a Popen is."""

        pid: int
        returncode: int | Any  # None while it runs
        stdin: IO[bytes] | None
        stdout: IO[bytes] | None
        stderr: IO[bytes] | None

        def poll(self) -> int | None: ...
        def wait(self) -> int: ...


# As subprocess has them, which takes long to import: many commands start no program.
PIPE, STDOUT, DEVNULL = -1, -2, -3

own_children: set[int] = set()  # children that a Popen of this module waits for; never reaped behind its back


# ---- starting --------------------------------------------------------------------------------------------


def spawn(
    argv: Sequence[str],
    cwd: str | None,
    env: Mapping[str, str] | None,
    *,
    stdin: int = DEVNULL,
    stdout: int = PIPE,
    stderr: int,
    pass_fds: Collection[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own; raises CannotStart with the reason why it cannot be started."""
    import subprocess

    try:
        encoded = (
            None
            if env is None
            else {encode_environment(name): encode_environment(value) for name, value in env.items()}
        )
        proc = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=encoded,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            bufsize=0,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    except (OSError, ValueError) as error:
        raise cannot_start(error, argv, cwd, os.environ if env is None else env) from error
    own_children.add(proc.pid)
    return proc


def piped(stream: IO[bytes] | None) -> IO[bytes]:
    """Return a stream of a program that `spawn` made a pipe."""
    assert stream is not None
    return stream


def encode_environment(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def cannot_start(
    error: OSError | ValueError, argv: Sequence[str], cwd: str | None, env: Mapping[str, str]
) -> CannotStart:
    program = os.fsdecode(argv[0])
    if isinstance(error, ValueError):  # a NUL byte, or "=" in a name
        return CannotStart(f"{program} cannot be started: {error}.", "Look for NUL bytes in the vars.")
    if cwd is not None and not os.path.isdir(cwd):
        return CannotStart(f"{program} cannot be started: its folder {os.fsdecode(cwd)} does not exist.")
    if error.errno == errno.E2BIG:
        return _too_much(program, env)
    path = _where(program, cwd, env)
    if error.errno == errno.ENOENT:
        return _not_found(program, path)
    if error.errno == errno.ENOEXEC:
        return CannotStart(
            f"{program} has no shebang line, so the system does not know what to run it with.",
            "Make its first line #!/usr/bin/env bash, for example.",
        )
    if error.errno == errno.EACCES:
        return _not_allowed(program, path)
    return CannotStart(f"{program} cannot be started: {os.strerror(error.errno or 0)}.")


def _too_much(program: str, env: Mapping[str, str]) -> CannotStart:
    sizes = {name: len(encode_environment(value)) for name, value in env.items()}
    largest = max(sizes, key=lambda name: sizes[name], default="")
    return CannotStart(
        f"{program} cannot be started: the vars are too long for the system "
        f"({sum(sizes.values())} bytes in all, of which {largest} has {sizes.get(largest, 0)}).",
        f"Put the content of {largest} in a file, and the file's path in the var.",
    )


def _not_found(program: str, path: str) -> CannotStart:
    interpreter = _interpreter(path)
    if interpreter is None:
        where = "does not exist" if os.sep in program else "is not on the PATH"
        return CannotStart(f"{program} {where}.")
    if interpreter.endswith("\r"):
        return CannotStart(f"{program} has Windows line ends.", "Save it with Unix line ends.")
    return CannotStart(
        f"{program} cannot be started: {interpreter}, which its first line names, does not exist.",
        f"Install {os.path.basename(interpreter)}, or correct the first line.",
    )


def _not_allowed(program: str, path: str) -> CannotStart:
    if os.path.isfile(path) and os.access(path, os.X_OK):
        interpreter = _interpreter(path) or "its interpreter"
        return CannotStart(f"{program} cannot be started: no permission to execute {interpreter}.")
    return CannotStart(f"{program} is not executable.", f"Make it so: chmod +x {program}")


def _where(program: str, cwd: str | None, env: Mapping[str, str]) -> str:
    if os.sep in program:
        return os.path.join(os.fsdecode(cwd or ""), program)
    from shutil import which

    return which(program, path=env.get("PATH")) or program


def _interpreter(path: str) -> str | None:
    """The program that a script's first line names; None when there is no script or no such line."""
    with suppress(OSError), open(path, "rb") as script:
        first = script.readline(512)
        if first.startswith(b"#!"):
            words = first[2:].rstrip(b"\n").split(b" ")
            return os.fsdecode(next((word for word in words if word), b""))
    return None


def make_pipe(first: int, childs: int) -> tuple[int, int]:
    """Return our end of a pipe and a child's (0: it reads, 1: it writes), the child's numbered from `first` on."""
    import fcntl

    ends = os.pipe()
    theirs = fcntl.fcntl(ends[childs], fcntl.F_DUPFD_CLOEXEC, first)
    os.close(ends[childs])
    return ends[1 - childs], theirs


def ensure_standard_descriptors() -> None:
    """Open /dev/null wherever standard input, output or error is closed.

    Otherwise the next file that is opened, the lock for example, would take that number, and a script would
    lose or write to it.
    """
    while True:
        fd = os.open(os.devnull, os.O_RDWR)
        if fd > 2:
            os.close(fd)
            return
        os.set_inheritable(fd, True)
