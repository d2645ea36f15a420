"""Ctrl-C, TERM and hang-up, noticed without losing a child."""

from __future__ import annotations

import os
import time
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object]
else:
    import _signal as signal  # the module signal makes enumerations of it, which takes as long as a small command

TICK = 0.25  # seconds between two looks at the clock while a script is silent


BURST = 0.1  # seconds within which several signals are one request: a closing terminal sends two HUPs

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


# ---- requests to stop ------------------------------------------------------------------------------------


class Interrupts:
    """Counts the requests to stop (SIGINT, SIGTERM, SIGHUP, and SIGQUIT from Ctrl-\\) that arrive while the context is open.

    A signal that was ignored when rigger started (`nohup`, a script's background job) stays without effect.
    Outside the main thread, where Python cannot handle signals, the count stays 0 unless `request` is called.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: int | None = None  # number of the signal that asked first
        self._counted_at = 0.0
        self._previous: dict[int, Handler | int | None] = {}
        self._wakeup: tuple[int, int] | None = None
        self._previous_wakeup = -1

    @property
    def signal_name(self) -> str:
        """The name of the signal that asked first, "" when none did."""
        if not self.first:
            return ""
        from signal import Signals

        return Signals(self.first).name

    def requested(self) -> bool:
        return self.count > 0

    def request(self, signum: int = signal.SIGINT) -> None:
        """Ask for a stop; signals of one burst are one request, and a terminal hangs up only once."""
        now = time.monotonic()
        if self.count and (now - self._counted_at < BURST or signum == signal.SIGHUP):
            return
        self._counted_at = now
        self.count += 1
        self.first = self.first or signum

    def fileno(self) -> int | None:
        """A file descriptor that becomes readable when a signal arrives; None outside the main thread."""
        return self._wakeup[0] if self._wakeup else None

    def drain(self) -> None:
        """Forget the wake-ups (not the requests) so far."""
        with suppress(BlockingIOError):
            while self._wakeup and os.read(self._wakeup[0], 512):
                pass

    def wait(self, seconds: float) -> None:
        """Wait until a stop is requested, or that many seconds."""
        end = time.monotonic() + seconds
        while not self.requested() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, TICK))

    def __enter__(self) -> Interrupts:
        with suppress(ValueError):  # raised outside the main thread
            self._previous_wakeup = self._wake_on_signals()
            # A handled SIGCHLD wakes us when a child ends, be it a daemon that the script waits to see gone;
            # an ignored one, which a parent can pass on, would make every exit code look like 0.
            for signum in (*STOP_SIGNALS, signal.SIGCHLD):
                self._previous[signum] = signal.signal(signum, self._handler(signum))
        return self

    def __exit__(self, *exc: object) -> None:
        for signum, previous in self._previous.items():
            signal.signal(signum, signal.SIG_DFL if previous is None else previous)
        self._previous.clear()
        if self._wakeup:
            signal.set_wakeup_fd(self._previous_wakeup)
            for end in self._wakeup:
                os.close(end)
            self._wakeup = None

    def _wake_on_signals(self) -> int:
        ends = os.pipe()
        for end in ends:
            os.set_blocking(end, False)
        try:
            previous = signal.set_wakeup_fd(ends[1], warn_on_full_buffer=False)
        except ValueError:
            for end in ends:
                os.close(end)
            raise
        self._wakeup = ends
        return previous

    def _handler(self, signum: int) -> Handler:
        # Not SIG_IGN: the script would inherit it, and could then not be asked to stop.
        ignored = signal.getsignal(signum) in (signal.SIG_IGN, no_effect)
        return no_effect if ignored or signum == signal.SIGCHLD else self._note

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self.request(signum)


def hear_stop_signals() -> None:
    """Let every request to stop end what is under way as Ctrl-C does, with a word and the terminal as it was.

    Before, when a command has not begun, it ends the process. One that was ignored when rigger started stays so.
    """
    for signum in STOP_SIGNALS:
        if signal.getsignal(signum) not in (signal.SIG_IGN, None):
            signal.signal(signum, signal.default_int_handler)


def no_effect(signum: int, frame: FrameType | None) -> None:
    pass
