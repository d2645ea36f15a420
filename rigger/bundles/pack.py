"""Write a bundle: files read once, searched for secrets, hashed and compressed on the way."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256

from rigger import __version__
from rigger.bundles.format import (
    FORMAT,
    LIMITS,
    MANIFEST,
    SIGNATURE,
    File,
    Limits,
    Manifest,
    Member,
    Packed,
    Sign,
)
from rigger.bundles.names import Names, shown_name
from rigger.bundles.tar import LATEST, tar_header
from rigger.bundles.threads import BLOCK, Worker, worker_pool
from rigger.errors import NotReady, Refused
from rigger.files import mark_in_use, partial_path, remove, saying_what_failed, sweep, sync_folder, write_all
from rigger.redact import Finder, Redactor
from rigger.values import asdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LEVEL = 3  # of compression; zstd's own default
ATTEMPTS = 3  # levels tried, as compressed bytes may look like a short secret by chance


# --- packing -----------------------------------------------------------------------------------------


class _Chance(Exception):
    """The compressed bytes have something in them that looks like a secret."""


def pack(
    path: str,
    members: Iterable[Member],
    fields: dict[str, Any],
    *,
    secrets: Iterable[str] = (),
    sign: Sign | None = None,
    limits: Limits = LIMITS,
) -> Packed:
    """Write a bundle, mode 0600, in one step: `path` is replaced when all is well, else left as it was.

    `sign` makes the signature of the manifest's bytes. Raises Refused when a secret would get into the bundle
    or a member is not what `extract` takes, Changed when a file does
    meanwhile, and NotReady when the disk is full.
    """
    chosen = sorted(members, key=lambda member: member.name)
    _check_members(chosen, fields, limits)
    secrets = list(secrets)
    for level in range(LEVEL, LEVEL + ATTEMPTS):
        with suppress(_Chance):
            return _pack(path, chosen, fields, secrets, sign, limits, level)
    raise Refused(
        f"{path} was not written: a secret seems to be in its compressed bytes.",
        "The secret is too short or too simple to tell; choose a longer one.",
    )


def _check_members(members: list[Member], fields: dict[str, Any], limits: Limits) -> None:
    names = Names(limits)
    for member in members:
        problem = names.take(member.name)
        if problem:
            raise Refused(
                f"{shown_name(member.name)} cannot be packed: {problem}.",
                "Rename or remove it, and try again.",
            )
    reserved = {"format", "rigger", "files"} & fields.keys()
    if reserved:
        raise ValueError(f"fields of the manifest's own: {sorted(reserved)}")


def _pack(
    path: str,
    members: list[Member],
    fields: dict[str, Any],
    secrets: list[str],
    sign: Sign | None,
    limits: Limits,
    level: int,
) -> Packed:
    with saying_what_failed(path), _Output(path) as output:
        packer = _Packer(output, secrets, limits, level)
        try:
            files = {member.name: packer.add(member) for member in members}
            manifest = packer.seal(files, fields, sign)
        finally:
            packer.stop()
        leaks = packer.leaks()
        if leaks:
            shown = Redactor(secrets).text(", ".join(map(shown_name, leaks)))
            raise Refused(
                f"{path} was not written: there are secrets in {shown}.",
                "Take them out of there, or leave those files out.",
            )
        if packer.compressed.found:
            raise _Chance
        _check_loadable(path, manifest, packer, output, limits)
        output.commit()
        return Packed(manifest, output.size)


def _check_loadable(path: str, manifest: Manifest, packer: _Packer, output: _Output, limits: Limits) -> None:
    """Refuse to make what would be refused when it is loaded."""
    biggest = max((file.size for file in manifest.files.values()), default=0)
    for value, limit, what in (
        (packer.offset, limits.total_for(output.size), "bytes in all"),
        (biggest, limits.file, "bytes in one file"),
        (len(manifest.raw), limits.manifest, "bytes of manifest"),
        (len(manifest.signature or b""), limits.signature, "bytes of signature"),
    ):
        if value > limit:
            raise Refused(
                f"{path} was not written: {value} {what} are too many to be loaded again, which takes"
                f" {limit}.",
                "Remove what is not needed, and try again.",
            )


_Update = Callable[[memoryview], None]  # of a hash


class _Packer:
    """Turns members into blocks of tar, which threads hash and compress while the next one is read."""

    def __init__(self, output: _Output, secrets: list[str], limits: Limits, level: int):
        import zstandard

        self.offset = 0  # of what was written to the tar so far
        self.now = int(time.time())
        finder = Finder(secrets)
        self.plain, self.compressed = _Watch(finder), _Watch(finder)
        self._output, self._limits = output, limits
        self._starts: list[tuple[int, str]] = []
        self._free = worker_pool()
        self._block, self._used = self._free.get(), 0
        self._parts: list[
            tuple[_Update, memoryview]
        ] = []  # what of the block is to be hashed, and by which hash
        compressor = zstandard.ZstdCompressor(level=level, threads=-1, write_checksum=True)
        self._frame = compressor.compressobj()
        self._hasher, self._compressor = Worker(), Worker()

    def add(self, member: Member) -> Callable[[], File]:
        """Append a member; returns what gives its entry for the manifest, once all was hashed."""
        self._starts.append((self.offset, member.name))
        if member.path is None:
            return self._add_bytes(member)
        with _opened(member.path, member.name) as (fd, status):
            if member.stamp not in (None, stamp(status)):
                raise _changed(member)
            self._check_size(member.name, status.st_size)
            mode, mtime = _mode(status.st_mode), min(max(0, int(status.st_mtime)), LATEST)
            self._put(tar_header(member.name, status.st_size, mode, mtime))
            digest = sha256()
            for room in self._rooms(status.st_size):
                count = os.readv(fd, [room])
                if not count:
                    raise _changed(member)
                self._advance(count, digest.update)
            if os.readv(fd, [bytearray(1)]) or stamp(os.fstat(fd)) != stamp(status):
                raise _changed(member)
        self._put(bytes(-status.st_size % 512))
        return lambda: File(status.st_size, digest.hexdigest(), f"{mode:04o}", mtime)

    def _check_size(self, name: str, size: int) -> None:
        for value, limit in ((size, self._limits.file), (self.offset + size, self._limits.total)):
            if value > limit:
                raise Refused(
                    f"{shown_name(name)} cannot be packed: with it there are {value} bytes, more than {limit}.",
                    "Remove what is not needed, and try again.",
                )

    def _add_bytes(self, member: Member) -> Callable[[], File]:
        data = member.data or b""
        mode, mtime = _mode(member.mode), self.now if member.mtime is None else member.mtime
        self._put(tar_header(member.name, len(data), mode, mtime))
        self._put(data)
        self._put(bytes(-len(data) % 512))
        return lambda: File(len(data), sha256(data).hexdigest(), f"{mode:04o}", mtime)

    def seal(
        self, files: dict[str, Callable[[], File]], fields: dict[str, Any], sign: Sign | None
    ) -> Manifest:
        """Append the manifest, its signature and the end."""
        self._pass_on()
        self._hasher.wait()
        hashed = {name: file() for name, file in files.items()}
        entries = {name: asdict(file) for name, file in hashed.items()}
        content = {"format": FORMAT, "rigger": __version__, **fields, "files": entries}
        raw = json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        self.add(Member(MANIFEST, data=raw))
        # Looked through before anybody is asked for a key.
        signature = sign(raw) if sign and not self.plain.found else None
        if signature is not None:
            self.add(Member(SIGNATURE, data=signature))
        self._put(bytes(1024))
        self._pass_on()
        self._hasher.wait()
        self._compressor.do(self._write, self._frame.flush)
        self._compressor.wait()
        return Manifest({"rigger": __version__, **fields}, hashed, raw, signature)

    def leaks(self) -> list[str]:
        """The names of the members that secrets were found in."""
        from bisect import bisect_right

        places = (bisect_right(self._starts, (at, chr(0x10FFFF))) - 1 for at in self.plain.found)
        return sorted({self._starts[max(place, 0)][1] for place in places})

    def stop(self) -> None:
        """End the threads."""
        self._hasher.stop()
        self._compressor.stop()

    def _rooms(self, size: int) -> Iterator[memoryview]:
        """Places to read `size` bytes to; after each `_advance` is called with how many came."""
        end = self.offset + size
        while self.offset < end:
            if self._used == BLOCK:
                self._pass_on()
            yield memoryview(self._block)[self._used : self._used + end - self.offset]

    def _advance(self, count: int, update: _Update | None = None) -> None:
        if update:
            self._parts.append((update, memoryview(self._block)[self._used : self._used + count]))
        self._used += count
        self.offset += count

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        for room in self._rooms(len(data)):
            count = min(len(room), len(rest))
            room[:count], rest = rest[:count], rest[count:]
            self._advance(count)

    def _pass_on(self) -> None:
        """Hand the block to the threads and take a free one."""
        block, used, parts = self._block, self._used, self._parts
        self.plain.look_at(block if used == BLOCK else block[:used])
        self._hasher.do(
            _hash,
            parts,
            after=lambda: self._compressor.do(
                self._write,
                self._frame.compress,
                memoryview(block)[:used],
                after=lambda: self._free.put(block),
            ),
        )
        self._block, self._used, self._parts = self._free.get(), 0, []
        self._compressor.check()

    def _write(self, compress: Callable[..., bytes], *data: memoryview) -> None:
        out = compress(*data)
        self.compressed.look_at(out)
        self._output.write(out)


class _Watch:
    """Looks for secrets in a stream that comes in blocks, also across them; `found` says where they begin."""

    def __init__(self, finder: Finder):
        self.found: list[int] = []
        self._finder = finder
        self._tail = b""
        self._offset = 0

    def look_at(self, block: bytes | bytearray) -> None:
        reach = self._finder.reach
        if not reach:
            return
        seam = self._tail + bytes(block[:reach])
        self._note(self._offset - len(self._tail), self._finder.find(seam))
        self._note(self._offset, self._finder.find(block))
        self._tail = (self._tail + bytes(block[-reach:]))[-reach:]
        self._offset += len(block)

    def _note(self, offset: int, places: Iterable[tuple[int, int]]) -> None:
        # The end, not the beginning: a secret that begins with one member's padding is in the next one.
        self.found.extend(offset + end - 1 for _, end in places)


def _hash(parts: list[tuple[_Update, memoryview]]) -> None:
    for update, part in parts:
        update(part)


class Changed(NotReady):
    """A file changed while it was read."""


def _changed(member: Member) -> Changed:
    return Changed(
        f"{shown_name(member.name)} changed while it was read.",
        "Wait until nothing writes to it, and try again.",
    )


def stamp(status: os.stat_result) -> tuple[int, int]:
    """Return what tells that a file is as it was: its size, and when it was last written to."""
    return status.st_size, status.st_mtime_ns


def unreadable(path: str, error: OSError) -> NotReady:
    """Return the error of a file that cannot be packed as it cannot be read."""
    return NotReady(f"Cannot read {path}: {error.strerror}.", "Check who may read it, and try again.")


@contextmanager
def _opened(path: str, name: str) -> Iterator[tuple[int, os.stat_result]]:
    """A plain file, and nothing else: a link is not followed, and a FIFO not waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if stat.S_ISREG(_kind(path)):
            raise unreadable(path, error) from error
        raise _not_plain(name) from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise _not_plain(name)
        yield fd, status
    finally:
        os.close(fd)


def _kind(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return stat.S_IFREG


def _not_plain(name: str) -> Refused:
    return Refused(
        f"{shown_name(name)} cannot be packed: it is not a plain file.", "Remove it, and try again."
    )


def _mode(mode: int) -> int:
    return 0o700 if mode & 0o100 else 0o600


class _Output:
    """The file being written, beside its final place."""

    def __init__(self, path: str):
        self.path = path
        self.folder = os.path.dirname(os.path.abspath(path))
        self.size = 0

    def __enter__(self) -> _Output:
        sweep(self.folder)
        self._aside = partial_path(self.folder)
        self._fd = os.open(self._aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        mark_in_use(self._fd)
        return self

    def write(self, data: bytes) -> None:
        self.size += len(data)
        write_all(self._fd, data)

    def commit(self) -> None:
        """Put it in its place, on the disk."""
        os.fchmod(self._fd, 0o600)
        os.fsync(self._fd)
        os.replace(self._aside, self.path)
        self._aside = ""
        sync_folder(self.folder)

    def __exit__(self, *exc: object) -> None:
        os.close(self._fd)
        if self._aside:
            with suppress(OSError):
                remove(self._aside)
