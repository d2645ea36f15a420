"""Blocks handed from one thread to the next, so that reading, searching and compressing overlap."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

BLOCK = 1024 * 1024  # bytes that travel together between threads
BLOCKS = 8  # how many of them there are

# What to call, with what, and what to call in any case.
_Job = tuple[Callable[..., object] | None, tuple[object, ...], Callable[[], None] | None]


# --- threads -----------------------------------------------------------------------------------------


class Worker:
    """A thread that does its jobs in turn; after one failed it skips the others, and `check` raises why."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._problem: BaseException | None = None
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def do(
        self, job: Callable[..., object], *arguments: object, after: Callable[[], None] | None = None
    ) -> None:
        """Do this some time; `after` is called in any case."""
        self._jobs.put((job, arguments, after))

    def check(self) -> None:
        if self._problem:
            raise self._problem

    def wait(self) -> None:
        """Wait for all jobs."""
        done: SimpleQueue[None] = SimpleQueue()
        self._jobs.put((None, (), lambda: done.put(None)))
        done.get()
        self.check()

    def stop(self) -> None:
        """Skip what is left, and end."""
        self._problem = self._problem or InterruptedError("stopped")
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, arguments, after = entry
            if job and not self._problem:
                try:
                    job(*arguments)
                except BaseException as problem:
                    self._problem = problem
            if after:
                after()


def worker_pool() -> SimpleQueue[bytearray]:
    free: SimpleQueue[bytearray] = SimpleQueue()
    for _ in range(BLOCKS):
        free.put(bytearray(BLOCK))
    return free
