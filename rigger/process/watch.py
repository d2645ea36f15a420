"""Wait for a program and for its output at once."""

from __future__ import annotations

import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.process.interrupts import Interrupts
    from rigger.process.spawn import Started

BLOCK = 64 * 1024  # bytes; what a pipe holds by default on Linux


DRAIN_IDLE = 0.1  # seconds of silence after which an ended script's pipe counts as read to its end
DRAIN_LIMIT = 2.0  # seconds; a background process that never stops writing must not hold up the run ...
DRAIN_SIZE = 16 * 1024 * 1024  # bytes; ... nor fill the disk meanwhile


class Watch:
    """Waits for output, for the end of a process and for signals, whichever comes first."""

    def __init__(self, proc: Started, fds: Sequence[int], interrupts: Interrupts):
        self.reading = set(fds)
        self.interrupts = interrupts
        self.proc = proc
        self.poll = select.poll()
        for fd in fds:
            self.poll.register(fd, select.POLLIN)
        self.wakeup = interrupts.fileno()
        if self.wakeup is not None:
            self.poll.register(self.wakeup, select.POLLIN)
        self.pidfd = _open_pidfd(proc.pid)
        self.ended = self._woken = False
        if self.pidfd is not None:
            self.poll.register(self.pidfd, select.POLLIN)

    def wait(self, seconds: float) -> list[int]:
        """The file descriptors with output, after at most `seconds`; [] for any other event."""
        if self.pidfd is None and not self.ended:
            seconds = min(seconds, 0.05)  # without a pidfd the end of the process shows only by looking
        ready = [fd for fd, _ in self.poll.poll(max(0, int(seconds * 1000 + 0.999)))]
        if self.wakeup in ready:
            self.interrupts.drain()
            self._woken = True
        if self.pidfd in ready:
            self._close_pidfd()
        return [fd for fd in ready if fd in self.reading]

    def woken(self) -> bool:
        """Has a signal arrived since the last time this was asked?"""
        woken, self._woken = self._woken, False
        return woken

    def heed_output_alone(self) -> None:
        """From now on, let nothing else cut a wait short."""
        self.ended = True
        self._close_pidfd()
        if self.wakeup is not None:
            self.poll.unregister(self.wakeup)
            self.wakeup = None

    def forget(self, fd: int) -> None:
        self.poll.unregister(fd)
        self.reading.discard(fd)

    def close(self) -> None:
        self._close_pidfd()

    def _close_pidfd(self) -> None:
        if self.pidfd is not None:
            self.poll.unregister(self.pidfd)
            os.close(self.pidfd)
            self.pidfd, self.ended = None, True


def _open_pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or older than 5.3
        return None
