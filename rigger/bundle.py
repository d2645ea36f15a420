"""Bundles: packs files into one, checks it, unpacks it; knows bytes and names, nothing of environments.

A bundle is one zstd frame (RFC 8878) around a POSIX tar (ustar; a pax record `path` for a name that is long
or not ASCII), so that `tar --zstd -tf` lists it. Its members are plain files, sorted, mode 0600 or 0700; the
last ones are `manifest.json`, which names every other member with its size, SHA-256, mode and time, and, if
signed, `manifest.json.sig`. What is read is untrusted: what `pack` would not have written is refused.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from queue import SimpleQueue
from threading import Thread

from rigger import __version__, envfile
from rigger.errors import BadUsage, NotReady, Refused
from rigger.redact import Finder, Redactor

FORMAT = 1
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"

BLOCK = 1024 * 1024  # bytes that travel together between threads
BLOCKS = 8  # how many of them there are
_LATEST = 8**11 - 1  # seconds, what the field for the time can hold
LEVEL = 3  # of compression; zstd's own default
ATTEMPTS = 3  # levels tried, as compressed bytes may look like a short secret by chance
STALE = 600.0  # seconds after which what a killed run left aside may be removed

Sign = Callable[[bytes], bytes]
CheckSignature = Callable[[bytes, "bytes | None"], str]


@dataclass(frozen=True)
class Limits:
    """What a bundle may ask of this machine: sizes in bytes, and how many times its own it may unpack to."""

    total: int = 32 * 1024**3
    file: int = 8 * 1024**3 - 1  # what eleven octal digits hold
    count: int = 100_000
    ratio: int = 1000
    always: int = 64 * 1024**2  # total that is fine whatever the ratio
    manifest: int = 32 * 1024**2  # also of all names together, as the manifest has them all
    signature: int = 64 * 1024
    window: int = 8 * 1024**2  # what RFC 8878 recommends every decoder to support

    def total_for(self, compressed: int) -> int:
        """The most that a file of this size may unpack to."""
        return min(self.total, max(self.always, self.ratio * compressed))


LIMITS = Limits()


@dataclass(frozen=True)
class Member:
    """What to pack: a file on disk, or bytes with a `mode` and an `mtime` (seconds; without it, now)."""

    name: str
    path: str | None = None
    data: bytes | None = None
    mode: int = 0o600
    mtime: int | None = None


@dataclass(frozen=True)
class File:
    """What a manifest says of one member: size in bytes, SHA-256 in hex digits, mtime in whole seconds."""

    size: int
    sha256: str
    mode: str
    mtime: int


@dataclass(frozen=True)
class Manifest:
    """What a bundle holds; `fields` is all that is neither format nor files."""

    fields: dict
    files: dict[str, File]
    raw: bytes = field(repr=False)
    signature: bytes | None = field(default=None, repr=False)
    signer: str = ""  # what the check of the signature returned; empty when there is none


@dataclass(frozen=True)
class Packed:
    """A bundle that was written, and its size in bytes."""

    manifest: Manifest
    size: int


@dataclass(frozen=True)
class Difference:
    """Names that only the second has, only the first has, or both have with other contents or modes."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def diff(before: Manifest, after: Manifest) -> Difference:
    """How the files of two bundles differ; times alone do not count."""
    a, b = before.files, after.files
    changed = (name for name in a.keys() & b.keys() if _content(a[name]) != _content(b[name]))
    return Difference(
        *(tuple(sorted(names)) for names in (b.keys() - a.keys(), a.keys() - b.keys(), changed))
    )


def _content(file: File) -> tuple:
    return file.size, file.sha256, file.mode


# --- packing -----------------------------------------------------------------------------------------


class _Chance(Exception):
    """The compressed bytes have something in them that looks like a secret."""


def pack(
    path: str,
    members: Iterable[Member],
    fields: dict,
    *,
    secrets: Iterable[str] = (),
    sign: Sign | None = None,
    limits: Limits = LIMITS,
) -> Packed:
    """Write a bundle, mode 0600, in one step: `path` is replaced when all is well, else left as it was.

    `sign` makes the signature of the manifest's bytes. Raises Refused when a secret would get into the bundle
    or a member is not what `extract` takes, and NotReady when a file changes meanwhile or the disk is full.
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


def _check_members(members: list[Member], fields: dict, limits: Limits) -> None:
    names = _Names(limits)
    for member in members:
        problem = names.take(member.name)
        if problem:
            raise Refused(
                f"{_shown(member.name)} cannot be packed: {problem}.", "Rename or remove it, and try again."
            )
    reserved = {"format", "rigger", "files"} & fields.keys()
    if reserved:
        raise ValueError(f"fields of the manifest's own: {sorted(reserved)}")


def _pack(path, members, fields, secrets, sign, limits, level) -> Packed:
    with _saying_what_failed(path), _Output(path) as output:
        packer = _Packer(output, secrets, limits, level)
        try:
            files = {member.name: packer.add(member) for member in members}
            manifest = packer.seal(files, fields, sign)
        finally:
            packer.stop()
        found = packer.leaks()
        if found:
            shown = Redactor(secrets).text(", ".join(map(_shown, found)))
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
        self._free = _pool()
        self._block, self._used = self._free.get(), 0
        self._parts: list[
            tuple[Callable, memoryview]
        ] = []  # what of the block is to be hashed, and by which hash
        compressor = zstandard.ZstdCompressor(level=level, threads=-1, write_checksum=True)
        self._frame = compressor.compressobj()
        self._hasher, self._compressor = _Worker(), _Worker()

    def add(self, member: Member) -> Callable[[], File]:
        """Append a member; returns what gives its entry for the manifest, once all was hashed."""
        self._starts.append((self.offset, member.name))
        if member.path is None:
            return self._add_bytes(member)
        with _opened(member.path, member.name) as (fd, status):
            self._check_size(member.name, status.st_size)
            mode, mtime = _mode(status.st_mode), min(max(0, int(status.st_mtime)), _LATEST)
            self._put(_head(member.name, status.st_size, mode, mtime))
            digest = sha256()
            for room in self._rooms(status.st_size):
                count = os.readv(fd, [room])
                if not count:
                    raise _changed(member)
                self._advance(count, digest)
            if os.readv(fd, [bytearray(1)]) or _stamp(os.fstat(fd)) != _stamp(status):
                raise _changed(member)
        self._put(bytes(-status.st_size % 512))
        return lambda: File(status.st_size, digest.hexdigest(), f"{mode:04o}", mtime)

    def _check_size(self, name: str, size: int) -> None:
        for value, limit in ((size, self._limits.file), (self.offset + size, self._limits.total)):
            if value > limit:
                raise Refused(
                    f"{_shown(name)} cannot be packed: with it there are {value} bytes, more than {limit}.",
                    "Remove what is not needed, and try again.",
                )

    def _add_bytes(self, member: Member) -> Callable[[], File]:
        data = member.data or b""
        mode, mtime = _mode(member.mode), self.now if member.mtime is None else member.mtime
        self._put(_head(member.name, len(data), mode, mtime))
        self._put(data)
        self._put(bytes(-len(data) % 512))
        return lambda: File(len(data), sha256(data).hexdigest(), f"{mode:04o}", mtime)

    def seal(self, files: dict[str, Callable[[], File]], fields: dict, sign: Sign | None) -> Manifest:
        """Append the manifest, its signature and the end."""
        self._pass_on()
        self._hasher.wait()
        known = {name: file() for name, file in files.items()}
        entries = {name: asdict(file) for name, file in known.items()}
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
        return Manifest({"rigger": __version__, **fields}, known, raw, signature)

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

    def _advance(self, count: int, digest=None) -> None:
        if digest:
            self._parts.append((digest.update, memoryview(self._block)[self._used : self._used + count]))
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


def _hash(parts: list[tuple[Callable, memoryview]]) -> None:
    for update, part in parts:
        update(part)


def _changed(member: Member) -> NotReady:
    return NotReady(
        f"{_shown(member.name)} changed while it was read.", "Wait until nothing writes to it, and try again."
    )


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


@contextmanager
def _opened(path: str, name: str) -> Iterator[tuple[int, os.stat_result]]:
    """A plain file, and nothing else: a link is not followed, and a FIFO not waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if stat.S_ISREG(_kind(path)):
            raise NotReady(
                f"Cannot read {path}: {error.strerror}.", "Check who may read it, and try again."
            ) from error
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
    return Refused(f"{_shown(name)} cannot be packed: it is not a plain file.", "Remove it, and try again.")


def _mode(mode: int) -> int:
    return 0o700 if mode & 0o100 else 0o600


class _Output:
    """The file being written, beside its final place."""

    def __init__(self, path: str):
        self.path = path
        self.folder = os.path.dirname(os.path.abspath(path))
        self.size = 0

    def __enter__(self) -> _Output:
        _sweep(self.folder)
        self._aside = _aside(self.folder)
        self._fd = os.open(self._aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        _hold(self._fd)
        return self

    def write(self, data: bytes) -> None:
        self.size += len(data)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def commit(self) -> None:
        """Put it in its place, on the disk."""
        os.fchmod(self._fd, 0o600)
        os.fsync(self._fd)
        os.replace(self._aside, self.path)
        self._aside = ""
        _sync_folder(self.folder)

    def __exit__(self, *exc) -> None:
        os.close(self._fd)
        if self._aside:
            with suppress(OSError):
                os.unlink(self._aside)


# --- what lies aside until it is whole ---------------------------------------------------------------


def _aside(folder: str) -> str:
    return os.path.join(folder, f".rigger-{os.urandom(8).hex()}.partial")


def _hold(fd: int) -> None:
    """Show that somebody is at work on it; where the file system knows no locks, time alone has to tell."""
    with suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sweep(folder: str) -> None:
    """Remove what runs that were killed left aside."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in list(entries):
            if re.fullmatch(r"\.rigger-[0-9a-f]{16}\.partial", entry.name):
                with suppress(OSError):
                    _remove_stale(entry)


def _remove_stale(entry: os.DirEntry) -> None:
    status = entry.stat(follow_symlinks=False)
    if status.st_uid != os.geteuid() or time.time() - status.st_mtime < STALE:
        return
    fd = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(entry.path)
    finally:
        os.close(fd)


def _remove(path: str) -> None:
    if not os.path.isdir(path):
        os.unlink(path)
        return
    from shutil import rmtree

    rmtree(path, ignore_errors=True)


def _sync_folder(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def _saying_what_failed(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotReady(
            f"Cannot write {path}: {error.strerror or error}.",
            "Make room on the disk, or check who may write there, and try again.",
        ) from error


# --- threads -----------------------------------------------------------------------------------------


class _Worker:
    """A thread that does its jobs in turn; after one failed it skips the others, and `check` raises why."""

    def __init__(self):
        self._jobs: SimpleQueue = SimpleQueue()
        self._problem: BaseException | None = None
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def do(self, job: Callable, *arguments, after: Callable[[], None] | None = None) -> None:
        """Do this some time; `after` is called in any case."""
        self._jobs.put((job, arguments, after))

    def check(self) -> None:
        if self._problem:
            raise self._problem

    def wait(self) -> None:
        """Wait for all jobs."""
        done: SimpleQueue = SimpleQueue()
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


def _pool() -> SimpleQueue:
    free: SimpleQueue = SimpleQueue()
    for _ in range(BLOCKS):
        free.put(bytearray(BLOCK))
    return free


# --- names -------------------------------------------------------------------------------------------

PART_SIZE = 255  # bytes of one part of a name, as on most file systems
NAME_SIZE = 4096  # bytes of a name
DEPTH = 32  # parts of a name
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|:|$)", re.IGNORECASE)
# Control characters, and those that end a line for some programs or turn the direction of what follows.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def name_problem(name: str) -> str | None:
    """Why a bundle cannot have a member of this name; None when it can."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if not name or name.startswith("/"):
        return "its name is absolute" if name else "its name is empty"
    if size > NAME_SIZE:
        return f"its name is longer than {NAME_SIZE} bytes"
    if "\\" in name:
        return "there is a backslash in its name"
    if _UNPRINTABLE.search(name):
        return "there is a control character in its name"
    parts = name.split("/")
    if len(parts) > DEPTH:
        return f"it lies more than {DEPTH} folders deep"
    return next(filter(None, map(_part_problem, parts)), None)


def _part_problem(part: str) -> str | None:
    if part in ("", ".", ".."):
        return {"": "a part of its name is empty", ".": "there is a '.' in its name"}.get(
            part, "its name climbs with '..'"
        )
    if len(part.encode()) > PART_SIZE:
        return f"a part of its name is longer than {PART_SIZE} bytes"
    if part[-1] in ". ":
        return "a part of its name ends with a dot or a space"
    if _DEVICES.match(part):
        return "its name is a device's on Windows"
    return None


class _Names:
    """The names so far, as a file system sees them that knows neither case nor Unicode's normal forms."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._tree: dict = {}
        self._count = self._size = 0

    def take(self, name: str) -> str | None:
        """Why this name cannot be added to the others; None when it was."""
        return name_problem(name) or self._too_many(name) or self._clash(name.split("/"))

    def _too_many(self, name: str) -> str | None:
        self._count += 1
        self._size += len(name.encode())
        if self._count > self._limits.count:
            return f"there are more than {self._limits.count} files"
        if self._size > self._limits.manifest:
            return f"all names together are longer than {self._limits.manifest} bytes"
        return None

    def _clash(self, parts: list[str]) -> str | None:
        *parents, base = parts
        tree, key = self._tree, _fold(base)
        if not parents and key in (MANIFEST, SIGNATURE):
            return "its name is the manifest's"
        for part in parents:
            taken, below = tree.setdefault(_fold(part), (part, {}))
            if taken != part or below is None:
                return _clashing(taken, part)
            tree = below
        if key in tree:
            taken, below = tree[key]
            return "it occurs twice" if taken == base and below is None else _clashing(taken, base)
        tree[key] = (base, None)
        return None


def _clashing(taken: str, part: str) -> str:
    if taken == part:
        return f"{_shown(part)} is both a file and a folder"
    return f"{_shown(part)} differs from {_shown(taken)} only in case or in Unicode's normal form"


def _fold(part: str) -> str:
    if part.isascii():
        return part.lower()
    from unicodedata import normalize

    # The canonical caseless matching of the Unicode Standard, 3.13.
    return normalize("NFD", normalize("NFD", part).casefold())


def _shown(name: str | bytes) -> str:
    """A name for a message: nothing in it can act on a terminal."""
    text = name if isinstance(name, str) else envfile.decode(name)
    return repr(text if len(text) <= 200 else text[:200] + "...")


# --- headers -----------------------------------------------------------------------------------------

# name mode uid gid size mtime checksum type linkname magic version uname gname devmajor devminor prefix
_USTAR = struct.Struct("=100s8s8s8s12s12s8s1s100s6s2s32s32s8s8s155s12x")
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"5": "a folder",
    b"6": "a FIFO",
    b"7": "a contiguous file",
    b"S": "a sparse file",
    b"L": "a GNU long name",
    b"K": "a GNU long link",
    b"g": "a global pax header",
    b"X": "a Solaris pax header",
    b"D": "a GNU dump",
    b"M": "a part of several volumes",
    b"V": "a volume label",
    b"\0": "of an old format",
}
_PAX_NAME = b"PaxHeader"


def _head(name: str, size: int, mode: int, mtime: int) -> bytes:
    """What stands before a member's bytes."""
    raw = name.encode()
    if name.isascii() and len(raw) <= 100:
        return _ustar(raw, size, mode, mtime, b"0")
    record = _pax_record(b"path", raw)
    before = _ustar(_PAX_NAME, len(record), 0o600, 0, b"x") + record + bytes(-len(record) % 512)
    return before + _ustar(name.encode("ascii", "replace")[:100], size, mode, mtime, b"0")


def _ustar(name: bytes, size: int, mode: int, mtime: int, kind: bytes) -> bytes:
    """One header block, as POSIX.1-2017 has it (pax, "ustar Interchange Format")."""
    values = [
        name,
        b"%07o\0" % mode,
        b"%07o\0" % 0,
        b"%07o\0" % 0,
        b"%011o\0" % size,
        b"%011o\0" % mtime,
        b" " * 8,
        kind,
        b"",
        b"ustar\0",
        b"00",
        b"",
        b"",
        b"%07o\0" % 0,
        b"%07o\0" % 0,
        b"",
    ]
    values[6] = b"%06o\0 " % sum(_USTAR.pack(*values))
    return _USTAR.pack(*values)


def _pax_record(key: bytes, value: bytes) -> bytes:
    rest = b" %s=%s\n" % (key, value)
    size = len(rest)
    while len(str(size)) + len(rest) != size:
        size = len(str(size)) + len(rest)
    return b"%d%s" % (size, rest)


@dataclass(frozen=True)
class _Entry:
    """A member's header, as it was read."""

    name: str
    size: int
    mode: int
    mtime: int


def _read_entry(stream: _Stream, block: bytes) -> _Entry:
    """The entry that begins with this block; refused unless it is, to the bit, what `_head` makes of it."""
    read, long_name = block, None
    if block[156:157] == b"x":
        size = _octal(block[124:136])
        if size is None or size > NAME_SIZE + 20:
            raise _Bad(f"{_shown(_raw_name(block))} has a pax header that rigger does not write")
        record = stream.take(size + -size % 512)
        block = stream.take(512)
        read += record + block
        found = re.match(rb"[0-9]{1,5} path=(.*)\n\0*\Z", record, re.DOTALL)
        long_name = found and found[1]
        if long_name is None:
            raise _Bad(f"{_shown(_raw_name(block))} has a pax header that rigger does not write")
    raw = _raw_name(block) if long_name is None else long_name
    _check_kind(block, raw)
    size, mode, mtime = _octal(block[124:136]), _octal(block[100:108]), _octal(block[136:148])
    name = envfile.decode(raw)
    problem = name_problem(name)
    if problem:
        raise _Bad(f"{_shown(name)}: {problem}")
    if mode is not None and mode not in (0o600, 0o700):
        raise _Bad(f"{_shown(name)} has the mode {mode:o}, which is neither 600 nor 700")
    if None in (size, mode, mtime) or _head(name, size, mode, mtime) != read:
        raise _Bad(f"{_shown(name)} has a header that is damaged, or not of rigger's making")
    return _Entry(name, size, mode, mtime)


def _check_kind(block: bytes, name: bytes) -> None:
    kind = block[156:157]
    if kind != b"0":
        raise _Bad(
            f"{_shown(name)} is {_KINDS.get(kind, f'of the unknown kind {_shown(kind)}')}, not a plain file"
        )


def _raw_name(block: bytes) -> bytes:
    prefix, name = block[345:500].split(b"\0")[0], block[:100].split(b"\0")[0]
    return prefix + b"/" + name if prefix else name


def _octal(digits: bytes) -> int | None:
    return int(digits[:-1], 8) if re.fullmatch(rb"[0-7]+\0", digits) else None


# --- reading -----------------------------------------------------------------------------------------


class _Bad(Exception):
    """What is wrong with the bundle."""


def read_manifest(path: str, *, limits: Limits = LIMITS) -> Manifest:
    """What the bundle says of itself; neither its contents nor its signature are checked. Raises Refused."""
    with _refusing(path):
        return _read(path, _Nowhere(), limits, hashing=False)


def verify(path: str, *, limits: Limits = LIMITS, check_signature: CheckSignature | None = None) -> Manifest:
    """Check all of a bundle and write nothing; raises Refused. See `extract` for `check_signature`."""
    with _refusing(path):
        manifest = _read(path, _Nowhere(), limits)
        return _signed(manifest, check_signature)


def extract(
    path: str,
    into: str,
    *,
    limits: Limits = LIMITS,
    check_signature: CheckSignature | None = None,
    durable: bool = True,
) -> Manifest:
    """Unpack a bundle into a new folder, which is there, mode 0700, when all of it is right, or not at all.

    `check_signature` gets the manifest's bytes and its signature or None, returns who signed and raises
    Refused; without it a signature has to fit the key that it names. With `durable` the files are on the disk
    when this returns. Raises Refused for a bundle that is not acceptable, BadUsage when `into` exists or the
    bundle cannot be read, and NotReady when `into` cannot be written.
    """
    with _refusing(path), _saying_what_failed(into), _Folder(into) as folder:
        manifest = _signed(_read(path, folder, limits), check_signature)
        folder.commit(durable)
        return manifest


def _signed(manifest: Manifest, check_signature: CheckSignature | None) -> Manifest:
    if check_signature is None:
        if manifest.signature is None:
            return manifest
        from rigger.seal import checker

        check_signature = checker()
    signer = check_signature(manifest.raw, manifest.signature)
    return Manifest(manifest.fields, manifest.files, manifest.raw, manifest.signature, signer)


@contextmanager
def _refusing(path: str) -> Iterator[None]:
    try:
        yield
    except _Bad as bad:
        raise Refused(f"The bundle {path} was refused: {bad}.", "Get it again from whoever made it.") from bad


def _read(path: str, sink: _Nowhere | _Folder, limits: Limits, hashing: bool = True) -> Manifest:
    with _Stream(path, limits) as stream:
        reader = _Reader(stream, sink, limits, hashing)
        manifest = reader.manifest()
    if hashing:
        _compare(manifest.files, reader.found())
    elif manifest.files.keys() != reader.sizes.keys():
        _compare_names(manifest.files.keys(), reader.sizes.keys())
    return manifest


class _Reader:
    """Takes the members from the stream, in the one order in which they may come."""

    def __init__(self, stream: _Stream, sink: _Nowhere | _Folder, limits: Limits, hashing: bool):
        self.sizes: dict[str, _Entry] = {}
        self._stream, self._sink, self._limits, self._hashing = stream, sink, limits, hashing
        self._names = _Names(limits)
        self._digests: dict[str, object] = {}

    def manifest(self) -> Manifest:
        """Everything up to the end of the bundle."""
        entry = self._next()
        while entry and entry.name not in (MANIFEST, SIGNATURE):
            self._member(entry)
            entry = self._next()
        if entry is None or entry.name != MANIFEST:
            raise _Bad("it has no manifest at its end")
        raw, signature = self._whole(entry, self._limits.manifest), None
        entry = self._next()
        if entry and entry.name == SIGNATURE:
            signature = self._whole(entry, self._limits.signature)
            entry = self._next()
        if entry:
            raise _Bad(f"{_shown(entry.name)} comes after the manifest")
        self._stream.expect_end()
        return _parse_manifest(raw, signature)

    def found(self) -> dict[str, File]:
        """The members that came, as a manifest has them."""
        return {
            name: File(entry.size, self._digests[name].hexdigest(), f"{entry.mode:04o}", entry.mtime)
            for name, entry in self.sizes.items()
        }

    def _next(self) -> _Entry | None:
        block = self._stream.take(512)
        if block.count(0) == 512:
            return None
        entry = _read_entry(self._stream, block)
        limit = min(self._limits.file, self._stream.most)
        if entry.size > limit:
            raise _Bad(f"{_shown(entry.name)} is larger than {limit} bytes")
        return entry

    def _member(self, entry: _Entry) -> None:
        problem = self._names.take(entry.name)
        if problem:
            raise _Bad(f"{_shown(entry.name)}: {problem}")
        if self.sizes and next(reversed(self.sizes)) > entry.name:
            raise _Bad(f"{_shown(entry.name)} is not in its place in the order of names")
        self.sizes[entry.name] = entry
        digest = self._digests[entry.name] = sha256()
        update = digest.update if self._hashing else None
        with self._sink.file(entry) as write:
            for piece in self._stream.pieces(entry.size, update):
                write(piece)
        self._skip_padding(entry)

    def _whole(self, entry: _Entry, limit: int) -> bytes:
        if entry.size > limit or entry.mode != 0o600:
            raise _Bad(f"{_shown(entry.name)} is larger than {limit} bytes or has a run bit")
        data = self._stream.take(entry.size)
        self._skip_padding(entry)
        return data

    def _skip_padding(self, entry: _Entry) -> None:
        if any(self._stream.take(-entry.size % 512)):
            raise _Bad(f"there are bytes between {_shown(entry.name)} and the next file")


def _compare(said: dict[str, File], found: dict[str, File]) -> None:
    _compare_names(said.keys(), found.keys())
    for name, file in found.items():
        if said[name] != file:
            raise _Bad(f"{_shown(name)} is not what the manifest says")


def _compare_names(said, found) -> None:
    for name in sorted(said - found):
        raise _Bad(f"{_shown(name)} is in its manifest but missing")
    for name in sorted(found - said):
        raise _Bad(f"{_shown(name)} is not in its manifest")


def _parse_manifest(raw: bytes, signature: bytes | None) -> Manifest:
    try:
        content = json.loads(
            raw.decode("ascii"),
            object_pairs_hook=_without_duplicates,
            parse_int=_short_int,
            parse_constant=_short_int,
        )
    except (ValueError, RecursionError) as error:
        raise _Bad("its manifest is not JSON as rigger writes it") from error
    if not isinstance(content, dict):
        raise _Bad("its manifest is not a JSON object")
    if type(content.get("format")) is not int or content["format"] != FORMAT:
        raise _Bad(
            f"its format is {_shown(str(content.get('format')))}, and this rigger reads format {FORMAT}"
        )
    files = content.get("files")
    if not isinstance(files, dict):
        raise _Bad("its manifest lists no files")
    parsed = {name: _parse_file(name, entry) for name, entry in files.items()}
    fields = {key: value for key, value in content.items() if key not in ("format", "files")}
    return Manifest(fields, parsed, raw, signature)


_FILE_TYPES = {"size": int, "sha256": str, "mode": str, "mtime": int}


def _parse_file(name: str, entry: object) -> File:
    if not isinstance(entry, dict) or {key: type(value) for key, value in entry.items()} != _FILE_TYPES:
        raise _Bad(f"its manifest does not say size, sha256, mode and mtime of {_shown(name)}")
    return File(**entry)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key occurs twice")
    return result


def _short_int(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("a number is too long")
    return int(digits)


# --- the stream in the frame -------------------------------------------------------------------------


class _Stream:
    """The tar in a bundle, unpacked by a thread a few blocks ahead, and hashed by another."""

    def __init__(self, path: str, limits: Limits):
        self._path, self._limits = path, limits
        self._free, self._ready = _pool(), SimpleQueue()
        self._stopped = False
        self._current: bytearray | None = None
        self._rest = memoryview(b"")

    def __enter__(self) -> _Stream:
        try:
            self._file = open(self._path, "rb", buffering=0)
        except OSError as error:
            raise _unreadable(self._path, error) from error
        try:
            status = os.fstat(self._file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _Bad("it is not a plain file")
            _check_frame(self._file.fileno(), status.st_size, self._limits)
            self.most = self._limits.total_for(status.st_size)
        except BaseException:
            self._file.close()
            raise
        self._hasher = _Worker()
        self._unpacker = Thread(target=self._unpack, daemon=True)
        self._unpacker.start()
        return self

    def __exit__(self, kind, *exc) -> None:
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

    def pieces(self, size: int, update: Callable | None) -> Iterator[memoryview]:
        """The next bytes, each piece valid until the next one; `update` is called with them by a thread."""
        while size:
            if not self._rest and not self._next_block():
                raise _Bad("it ends too early")
            piece, self._rest = self._rest[:size], self._rest[size:]
            size -= len(piece)
            if update:
                self._hasher.do(update, piece)
            yield piece

    def expect_end(self) -> None:
        """Refuse a bundle that goes on after the second block of zeros."""
        if any(self.take(512)) or self._rest or self._next_block():
            raise _Bad("something comes after its end")

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
            bad = _Bad("it is damaged")
            bad.__cause__ = error
            self._ready.put(bad)
        except OSError as error:
            self._ready.put(_unreadable(self._path, error))
        except BaseException as problem:
            self._ready.put(problem)

    def _fill_blocks(self, reader) -> None:
        total, size = 0, 1
        while size:
            block = self._free.get()
            if self._stopped:
                return
            size = _fill(reader, block)
            total += size
            if total > self.most:
                raise _Bad(f"it unpacks to more than {self.most} bytes")
            self._ready.put((block, size))


def _unreadable(path: str, error: OSError) -> BadUsage:
    return BadUsage(
        f"Cannot read the bundle {path}: {error.strerror}.", "Check its name, and who may read it."
    )


def _nothing() -> None:
    pass


def _fill(reader, block: bytearray) -> int:
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
        raise _Bad("it is not a bundle") from error
    if head[:4] != b"\x28\xb5\x2f\xfd" or frame.dict_id or not frame.has_checksum:
        raise _Bad("it is not a bundle")
    if frame.window_size > limits.window:
        raise _Bad(f"it needs more than {limits.window} bytes of memory to unpack")
    end = _end_of_blocks(fd, at, limits.total_for(size)) + 4  # the checksum
    if end != size:
        raise _Bad("it ends too early" if end > size else "something comes after its end")


def _end_of_blocks(fd: int, at: int, most: int) -> int:
    last, left = False, 16 + most // 1024
    while not last:
        head = os.pread(fd, 3, at)
        if len(head) < 3:
            raise _Bad("it ends too early")
        value = int.from_bytes(head, "little")
        last, kind, size = value & 1, value >> 1 & 3, value >> 3
        left -= 1
        if kind == _RESERVED or size > _BLOCK_SIZE or left < 0:
            raise _Bad("it is damaged")
        at += 3 + (1 if kind == _RLE else size)
    return at


# --- unpacking ---------------------------------------------------------------------------------------


class _Nowhere:
    """Takes files and forgets them."""

    @contextmanager
    def file(self, entry: _Entry) -> Iterator[Callable]:
        yield _forget


def _forget(piece: memoryview) -> None:
    pass


class _Folder:
    """The folder being unpacked, beside its final place; every file is made relative to an open folder."""

    def __init__(self, into: str):
        self.into = os.path.abspath(into)
        self._parts: list[str] = []
        self._fds: list[int] = []

    def __enter__(self) -> _Folder:
        if os.path.lexists(self.into):
            raise BadUsage(f"{self.into} exists already.", "Choose another folder, or remove it.")
        _sweep(os.path.dirname(self.into))
        self._aside = _aside(os.path.dirname(self.into))
        os.mkdir(self._aside, 0o700)
        try:
            self._open(self._aside)
            _hold(self._fds[0])
        except BaseException:
            self.__exit__()
            raise
        return self

    @contextmanager
    def file(self, entry: _Entry) -> Iterator[Callable]:
        """What writes to a new file, in its folder."""
        *parents, base = entry.name.split("/")
        fd = os.open(base, _NEW_FILE, 0o600, dir_fd=self._enter(parents))
        try:
            yield lambda piece: _write_all(fd, piece)
            os.fchmod(fd, entry.mode)
            os.utime(fd, (entry.mtime, entry.mtime))
        finally:
            os.close(fd)

    def _enter(self, parents: list[str]) -> int:
        """An open folder; those between it and the last one are closed and opened as needed."""
        same = 0
        while same < min(len(parents), len(self._parts)) and parents[same] == self._parts[same]:
            same += 1
        while len(self._parts) > same:
            self._parts.pop()
            os.close(self._fds.pop())
        for part in parents[same:]:
            with suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=self._fds[-1])
            self._open(part, dir_fd=self._fds[-1])
            self._parts.append(part)
        return self._fds[-1]

    def _open(self, name: str, dir_fd: int | None = None) -> None:
        self._fds.append(os.open(name, _OPEN_FOLDER, dir_fd=dir_fd))
        os.fchmod(self._fds[-1], 0o700)  # whatever the umask is

    def commit(self, durable: bool) -> None:
        """Put it in its place, on the disk."""
        if durable:
            _sync_tree(self._aside)
        if os.path.lexists(self.into):
            raise BadUsage(f"{self.into} exists already.", "Choose another folder, or remove it.")
        os.rename(self._aside, self.into)
        self._aside = ""
        if durable:
            _sync_folder(os.path.dirname(self.into))

    def __exit__(self, *exc) -> None:
        while self._fds:
            os.close(self._fds.pop())
        if self._aside:
            _remove(self._aside)


_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def _write_all(fd: int, piece: memoryview) -> None:
    while piece:
        piece = piece[os.write(fd, piece) :]


def _sync_tree(folder: str) -> None:
    """Bring all files of a folder to the disk: at once where the system can (Linux), else one by one."""
    import ctypes

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        for place, _, names in os.walk(folder):
            for path in (place, *(os.path.join(place, name) for name in names)):
                _sync_path(path)
        return
    fd = os.open(folder, _OPEN_FOLDER)
    try:
        if syncfs(fd):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(fd)


def _sync_path(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
