"""Talk with a program over pipes."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from rigger.process import spawn
from rigger.process.interrupts import TICK, Interrupts
from rigger.process.spawn import make_pipe, own_children, piped
from rigger.process.tree import kill_session
from rigger.process.watch import BLOCK, DRAIN_IDLE, DRAIN_LIMIT, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Dialogue:
    """A program that asks for answers over a pipe of its own, while its output is passed on to `output`.

    `argv` takes two more arguments before its last: the descriptors that the program writes its messages to and reads
    the replies from. A message is the number of its fields, then the fields, each closed by a NUL; so are replies,
    without the number. The program reads `stdin`, or nothing. Raises CannotStart when it cannot be started.
    """

    FIRST_FD = 60  # scripts use the small numbers themselves

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        output: Callable[[bytes], None],
        stdin: int | None = None,
    ):
        self.output = output
        self.exit_code: int | None = None  # 128 + N when signal N ended it; None while it runs
        self._messages = bytearray()
        self._from, to = make_pipe(self.FIRST_FD, childs=1)
        self._to, answers = make_pipe(self.FIRST_FD, childs=0)
        try:
            whole = [*argv[:-1], str(to), str(answers), argv[-1]]
            self._proc = spawn.spawn(
                whole,
                cwd,
                env,
                stdin=spawn.DEVNULL if stdin is None else stdin,
                stderr=spawn.STDOUT,
                pass_fds=(to, answers),
            )
        except BaseException:
            os.close(self._from)
            os.close(self._to)
            raise
        finally:
            os.close(to)
            os.close(answers)
        self._stdout = piped(self._proc.stdout)
        self._watch = Watch(self._proc, [self._from, self._stdout.fileno()], Interrupts())

    def receive(self) -> list[bytes] | None:
        """Return the next message, None when the program has ended without another one."""
        while (message := self._message()) is None and self._proc.poll() is None:
            self._exchange(TICK)
        if message is None:
            message = self._last_words()
        return message

    def reply(self, *fields: bytes) -> None:
        """Answer the message that was received last; one that has ended meanwhile needs no answer."""
        data = memoryview(b"".join(field + b"\0" for field in fields))
        with suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._to, data) :]

    def close(self) -> None:
        """End the program, and what it started, if it still runs."""
        if self._stdout.closed:
            return
        kill_session(self._proc)
        self._watch.close()
        for fd in (self._from, self._to):
            os.close(fd)
        self._stdout.close()
        own_children.discard(self._proc.pid)

    def _last_words(self) -> list[bytes] | None:
        self._watch.heed_output_alone()
        limit = time.monotonic() + DRAIN_LIMIT
        while self._watch.reading and self._exchange(DRAIN_IDLE) and time.monotonic() < limit:
            pass
        code = self._proc.returncode
        self.exit_code = 128 - code if code < 0 else code
        return self._message()

    def _exchange(self, seconds: float) -> bool:
        ready = self._watch.wait(seconds)
        for fd in ready:
            block = os.read(fd, BLOCK)
            if not block:
                self._watch.forget(fd)
            elif fd == self._from:
                self._messages += block
            else:
                self.output(block)
        return bool(ready)

    def _message(self) -> list[bytes] | None:
        number, nul, rest = bytes(self._messages).partition(b"\0")
        fields = rest.split(b"\0", int(number)) if nul else []
        if not nul or len(fields) <= int(number):
            return None
        self._messages = bytearray(fields.pop())
        return fields
