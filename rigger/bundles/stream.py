"""Read a bundle's Zstandard stream, checked frame by frame against what an attacker might put there."""

from __future__ import annotations

import os
import stat
from queue import SimpleQueue
from threading import Thread

from rigger.bundles.format import Bad, Damaged, Limits
from rigger.bundles.threads import BLOCK, Worker, worker_pool
from rigger.errors import BadUsage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zstandard import ZstdDecompressionReader

# --- the stream in the frame -------------------------------------------------------------------------


class Stream:
    """The tar in a bundle, unpacked by a thread a few blocks ahead, and hashed by another."""

    def __init__(self, path: str, limits: Limits):
        self._path, self._limits = path, limits
        self._free = worker_pool()
        self._ready: SimpleQueue[tuple[bytearray, int] | BaseException] = SimpleQueue()
        self._stopped = False
        self._current: bytearray | None = None
        self._rest = memoryview(b"")

    def __enter__(self) -> Stream:
        try:
            self._file = open(self._path, "rb", buffering=0)
        except OSError as error:
            raise _unreadable(self._path, error) from error
        try:
            status = os.fstat(self._file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise Bad("it is not a plain file")
            _check_frame(self._file.fileno(), status.st_size, self._limits)
            self.most = self._limits.total_for(status.st_size)
        except BaseException:
            self._file.close()
            raise
        self._hasher = Worker()
        self._unpacker = Thread(target=self._unpack, daemon=True)
        self._unpacker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self._stopped = True
        self._free.put(bytearray(1))  # so that the thread sees it
        self._unpacker.join()
        try:
            if kind is None:
                self._hasher.wait()
        finally:
            self._hasher.stop()
            self._file.close()

    def take(self, size: int) -> bytes:
        """The next bytes, which the caller has found to be few."""
        return b"".join(map(bytes, self.pieces(size, None)))

    def pieces(self, size: int, update: Callable[[memoryview], None] | None) -> Iterator[memoryview]:
        """The next bytes, each piece valid until the next one; `update` is called with them by a thread."""
        while size:
            if not self._rest and not self._next_block():
                raise Damaged("it ends too early")
            piece, self._rest = self._rest[:size], self._rest[size:]
            size -= len(piece)
            if update:
                self._hasher.do(update, piece)
            yield piece

    def expect_end(self) -> None:
        """Refuse a bundle that goes on after the second block of zeros."""
        if any(self.take(512)) or self._rest or self._next_block():
            raise Bad("something comes after its end")

    def _next_block(self) -> bool:
        if self._current is not None:
            block = self._current
            # Not before the last piece of it was hashed.
            self._hasher.do(_nothing, after=lambda: self._free.put(block))
            self._current = None
        ready = self._ready.get()
        if isinstance(ready, BaseException):
            raise ready
        self._current, size = ready
        self._rest = memoryview(self._current)[:size]
        return size > 0

    def _unpack(self) -> None:
        import zstandard

        try:
            unpacker = zstandard.ZstdDecompressor(max_window_size=self._limits.window)
            reader = unpacker.stream_reader(self._file, read_size=BLOCK // 4)
            self._fill_blocks(reader)
        except zstandard.ZstdError as error:
            bad = Damaged("it is damaged")
            bad.__cause__ = error
            self._ready.put(bad)
        except OSError as error:
            self._ready.put(_unreadable(self._path, error))
        except BaseException as problem:
            self._ready.put(problem)

    def _fill_blocks(self, reader: ZstdDecompressionReader) -> None:
        total, size = 0, 1
        while size:
            block = self._free.get()
            if self._stopped:
                return
            size = _fill(reader, block)
            total += size
            if total > self.most:
                raise Bad(f"it unpacks to more than {self.most} bytes")
            self._ready.put((block, size))


def _unreadable(path: str, error: OSError) -> BadUsage:
    return BadUsage(
        f"Cannot read the bundle {path}: {error.strerror}.", "Check its name, and who may read it."
    )


def _nothing() -> None:
    pass


def _fill(reader: ZstdDecompressionReader, block: bytearray) -> int:
    """Read until the block is full or the frame at its end."""
    view, filled = memoryview(block), 0
    while filled < len(block) and (count := reader.readinto(view[filled:])):
        filled += count
    return filled


_HEADER_SIZE = 18  # bytes, the longest header of a frame
_BLOCK_SIZE = 128 * 1024  # bytes, the most that a block unpacks to
_RAW, _RLE, _RESERVED = 0, 1, 3


def _check_frame(fd: int, size: int, limits: Limits) -> None:
    """Refuse a file that is not exactly one zstd frame with a checksum, before any of it is unpacked."""
    import zstandard

    head = os.pread(fd, _HEADER_SIZE, 0)
    try:
        frame, at = zstandard.get_frame_parameters(head), zstandard.frame_header_size(head)
    except zstandard.ZstdError as error:
        raise Bad("it is not a bundle") from error
    if head[:4] != b"\x28\xb5\x2f\xfd" or frame.dict_id or not frame.has_checksum:
        raise Bad("it is not a bundle")
    if frame.window_size > limits.window:
        raise Bad(f"it needs more than {limits.window} bytes of memory to unpack")
    end = _end_of_blocks(fd, at, limits.total_for(size)) + 4  # the checksum
    if end != size:
        raise Bad("it ends too early" if end > size else "something comes after its end")


def _end_of_blocks(fd: int, at: int, most: int) -> int:
    last, left = False, 16 + most // 1024
    while not last:
        head = os.pread(fd, 3, at)
        if len(head) < 3:
            raise Damaged("it ends too early")
        value = int.from_bytes(head, "little")
        last, kind, size = bool(value & 1), value >> 1 & 3, value >> 3
        left -= 1
        if kind == _RESERVED or size > _BLOCK_SIZE or left < 0:
            raise Damaged("it is damaged")
        at += 3 + (1 if kind == _RLE else size)
    return at
