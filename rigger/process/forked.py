"""Run a function of rigger's own as a program: in a copy of this process, which has imported what it needs.

To start Python once more and import the same modules takes longer than most of what such a program does.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from rigger.errors import CannotStart
from rigger.process.interrupts import STOP_SIGNALS
from rigger.process.spawn import PIPE, STDOUT, encode_environment, own_children

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Collection, Mapping
    from typing import IO, Any, NoReturn
else:
    import _signal as signal  # as in interrupts.py


class Forked:
    """Such a program; it is waited for as a Popen is."""

    stdin: IO[bytes] | None = None

    def __init__(self, pid: int, stdout: IO[bytes] | None, stderr: IO[bytes] | None):
        self.pid, self.stdout, self.stderr = pid, stdout, stderr
        self.returncode: int | Any = None

    def poll(self) -> int | None:
        """Return the exit code, -N after signal N; None while it runs."""
        return self._look(os.WNOHANG)

    def wait(self) -> int:
        """Wait for its end and return its exit code."""
        code = self._look(0)
        assert code is not None
        return code

    def _look(self, how: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, how)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def fork(
    program: Callable[[], int],
    cwd: str | None,
    env: Mapping[str, str] | None,
    *,
    stdout: int = PIPE,
    stderr: int = PIPE,
    pass_fds: Collection[int] = (),
) -> Forked:
    """Start a function that returns an exit code, in a session of its own; raises CannotStart.

    As a script it has this folder and environment, no input, and of our descriptors but those that are passed.
    """
    outputs = [os.pipe() if wanted == PIPE else (-1, wanted) for wanted in (stdout, stderr)]
    begun = os.pipe()
    # A request to stop that comes before the copy is a process of its own waits until it is.
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        pid = os.fork()
        if not pid:
            _become(program, cwd, env, [theirs for _, theirs in outputs], pass_fds, begun[1])
        own_children.add(pid)
    except OSError as problem:
        raise CannotStart(f"rigger cannot start a copy of itself: {problem.strerror}.") from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)
        for ours, theirs in (*outputs, begun):
            if ours >= 0:
                os.close(theirs)
    os.read(begun[0], 1)  # its session has begun: whoever stops it finds it there
    os.close(begun[0])
    return Forked(pid, *(open(ours, "rb", buffering=0) if ours >= 0 else None for ours, _ in outputs))


def _become(
    program: Callable[[], int],
    cwd: str | None,
    env: Mapping[str, str] | None,
    outputs: list[int],
    kept: Collection[int],
    begun: int,
) -> NoReturn:
    """Be what a new Python would be, run the program, and end: nothing that rigger has begun may go on in its copy."""
    code = 1
    try:
        os.setsid()
        _heed_signals_as_new()
        os.close(begun)
        _keep_open(outputs, kept)
        if env is not None:
            os.environb.clear()
            os.environb.update({encode_environment(name): encode_environment(env[name]) for name in env})
        if cwd is not None:
            os.chdir(cwd)
        code = program()
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except BaseException:
        import traceback

        with suppress(OSError):
            traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)


def _heed_signals_as_new() -> None:
    signal.set_wakeup_fd(-1)
    for signum in (*STOP_SIGNALS, signal.SIGCHLD):
        signal.signal(signum, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _keep_open(outputs: list[int], kept: Collection[int]) -> None:
    """Have the three standard streams and the descriptors that are kept, and no others."""
    stdout, stderr = outputs
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(stdout, 1)
    os.dup2(1 if stderr == STDOUT else stderr, 2)
    first = 3
    for fd in sorted(kept):
        os.closerange(first, fd)
        first = fd + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))
    # New streams: what rigger's own still hold is for rigger to write.
    sys.stdin = open(0, closefd=False)
    sys.stdout = open(1, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
