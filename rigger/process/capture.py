"""Run a program and keep what it prints."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress

from rigger.errors import ProcessTimedOut, StepFailed
from rigger.later import later
from rigger.process import spawn
from rigger.process.interrupts import TICK, Interrupts
from rigger.process.spawn import own_children, piped
from rigger.process.tree import kill_session
from rigger.process.watch import BLOCK, DRAIN_IDLE, DRAIN_LIMIT, Watch
from rigger.text import in_words
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rigger.process import forked
    from rigger.process.spawn import Started
else:
    forked = later("rigger.process.forked")

# ---- small helper programs -------------------------------------------------------------------------------


@frozen
class Captured:
    """What a helper program said."""

    exit_code: int  # 128 + N when signal N ended it
    output: bytes = field(repr=False)  # may hold what the program was given
    errors: bytes = field(repr=False)


def capture(
    argv: Sequence[str],
    *,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes = b"",
    timeout: float = 60.0,
    limit: int = 16 * 1024 * 1024,
    inside: Callable[[], int] | None = None,
) -> Captured:
    """Run a helper program (a check, a list of choices, git) and return what it wrote.

    `timeout` is in seconds, `limit` in bytes for each of its two streams. `inside` is rigger's own function that does what
    the program would, and reads no input. Raises CannotStart, ProcessTimedOut, StepFailed when it writes more than that,
    and KeyboardInterrupt on Ctrl-C; it is killed then.
    """
    with Interrupts() as interrupts:  # no KeyboardInterrupt may come between a program's start and its care
        captured = _converse(argv, cwd, env, input, timeout, limit, interrupts, inside)
    if interrupts.requested():
        os.kill(os.getpid(), interrupts.first or signal.SIGINT)  # for whoever handles it outside
        raise KeyboardInterrupt
    return captured


def _converse(
    argv: Sequence[str],
    cwd: str | None,
    env: Mapping[str, str] | None,
    input: bytes,
    timeout: float,
    limit: int,
    interrupts: Interrupts,
    inside: Callable[[], int] | None,
) -> Captured:
    stdin = spawn.PIPE if input else spawn.DEVNULL
    proc: Started
    if inside:
        proc = forked.fork(inside, cwd, env)
    else:
        proc = spawn.spawn(argv, cwd, env, stdin=stdin, stderr=spawn.PIPE)
    conversation = _Conversation(proc, os.fsdecode(argv[0]), input, limit, interrupts)
    try:
        conversation.carry_on(timeout)
    except BaseException:
        kill_session(proc)
        raise
    finally:
        conversation.close()
    code = proc.wait()
    output, errors = conversation.streams.values()
    return Captured(128 - code if code < 0 else code, bytes(output), bytes(errors))


class _Conversation:
    """The pipes to and from a helper program."""

    def __init__(self, proc: Started, name: str, input: bytes, limit: int, interrupts: Interrupts):
        self.proc = proc
        self.name = name
        self.limit = limit
        self.input = memoryview(input)
        self.streams = {piped(stream).fileno(): bytearray() for stream in (proc.stdout, proc.stderr)}
        self.interrupts = interrupts
        self.watch = Watch(proc, list(self.streams), interrupts)
        if proc.stdin:
            os.set_blocking(proc.stdin.fileno(), False)
            self.watch.poll.register(proc.stdin.fileno(), select.POLLOUT)

    def carry_on(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while self.proc.poll() is None:
            if self.interrupts.requested():
                kill_session(self.proc)
                return
            left = deadline - time.monotonic()
            if left <= 0:
                raise ProcessTimedOut(f"{self.name} did not end within {in_words(timeout)}.")
            self._exchange(min(left, TICK))
        self.watch.heed_output_alone()
        limit = time.monotonic() + DRAIN_LIMIT
        while self.watch.reading and self._exchange(DRAIN_IDLE) and time.monotonic() < limit:
            pass

    def close(self) -> None:
        self.watch.close()
        self._hang_up()
        for stream in (self.proc.stdout, self.proc.stderr):
            piped(stream).close()
        own_children.discard(self.proc.pid)

    def _exchange(self, seconds: float) -> bool:
        ready = self.watch.wait(seconds)
        for fd in ready:
            block = os.read(fd, BLOCK)
            if not block:
                self.watch.forget(fd)
            self.streams[fd] += block
            if len(self.streams[fd]) > self.limit:
                raise StepFailed(f"{self.name} wrote more than {self.limit} bytes.")
        self._give_input()
        return bool(ready)

    def _give_input(self) -> None:
        if not self.proc.stdin:
            return
        try:
            self.input = self.input[os.write(self.proc.stdin.fileno(), self.input[:BLOCK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # it has read all it wants
            self.input = self.input[:0]
        if not self.input:
            self._hang_up()

    def _hang_up(self) -> None:
        if self.proc.stdin:
            with suppress(KeyError):
                self.watch.poll.unregister(self.proc.stdin.fileno())
            self.proc.stdin.close()
            self.proc.stdin = None
