"""Watch a script that runs: whether it prints a secret, and what becomes of it when it is killed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading

from rigger.process import tree
from rigger.process.tree import kill_descendants
from rigger.redact import Redactor, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def killing(after: float | None, at: str = "") -> Iterator[None]:
    """Kill all that is started meanwhile, after that many seconds, or as soon as a file is there."""
    if after is None and not at:
        yield
        return
    over = threading.Event()
    spared = tree.descendants()

    def strike() -> None:
        if after is not None and over.wait(after):
            return
        while at and not os.path.exists(at):
            if over.wait(0.002):
                return
        while kill_descendants(spared) and not over.wait(0.005):
            pass  # what was just being started is met the next time

    killer = threading.Thread(target=strike)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


class Watching(Redactor):
    """A redactor that knows the secrets of another, and notices whether a stream had any to mask."""

    def __init__(self, redactor: Redactor):
        super().__init__()
        self._redactor = redactor
        self._streams: list[Compared] = []

    @property
    def masked(self) -> bool:
        return any(stream.raw.digest() != stream.shown.digest() for stream in self._streams)

    def add(self, secret: str) -> None:
        self._redactor.add(secret)

    def bytes(self, data: bytes) -> bytes:
        return self._redactor.bytes(data)  # not a stream of a script

    def stream(self) -> Compared:
        self._streams.append(Compared(self._redactor))
        return self._streams[-1]


class Compared(Stream):
    """A stream through a redactor, and digests of what went in and what came out."""

    def __init__(self, redactor: Redactor):
        super().__init__(redactor)
        self.raw, self.shown = hashlib.sha256(), hashlib.sha256()

    def feed(self, block: bytes) -> bytes:
        self.raw.update(block)
        return self._seen(super().feed(block))

    def finish(self) -> bytes:
        return self._seen(super().finish())

    def _seen(self, block: bytes) -> bytes:
        self.shown.update(block)
        return block
