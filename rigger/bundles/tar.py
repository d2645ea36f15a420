"""The entries of a bundle's tar stream: ustar headers with pax names, and nothing else."""

from __future__ import annotations

import re
import struct

from rigger import text
from rigger.bundles.format import Bad
from rigger.bundles.names import NAME_SIZE, name_problem, shown_name
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.bundles.stream import Stream

LATEST = 8**11 - 1  # seconds, what the field for the time can hold


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


def tar_header(name: str, size: int, mode: int, mtime: int) -> bytes:
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


@frozen
class Entry:
    """A member's header, as it was read."""

    name: str
    size: int
    mode: int
    mtime: int


def read_entry(stream: Stream, block: bytes) -> Entry:
    """The entry that begins with this block; refused unless it is, to the bit, what `_head` makes of it."""
    read, long_name = block, None
    if block[156:157] == b"x":
        size = _octal(block[124:136])
        if size is None or size > NAME_SIZE + 20:
            raise Bad(f"{shown_name(_raw_name(block))} has a pax header that rigger does not write")
        record = stream.take(size + -size % 512)
        block = stream.take(512)
        read += record + block
        path = re.match(rb"[0-9]{1,5} path=(.*)\n\0*\Z", record, re.DOTALL)
        if path is None:
            raise Bad(f"{shown_name(_raw_name(block))} has a pax header that rigger does not write")
        long_name = path[1]
    raw = _raw_name(block) if long_name is None else long_name
    _check_kind(block, raw)
    size, mode, mtime = _octal(block[124:136]), _octal(block[100:108]), _octal(block[136:148])
    name = text.decode(raw)
    problem = name_problem(name)
    if problem:
        raise Bad(f"{shown_name(name)}: {problem}")
    if mode is not None and mode not in (0o600, 0o700):
        raise Bad(f"{shown_name(name)} has the mode {mode:o}, which is neither 600 nor 700")
    if size is None or mode is None or mtime is None or tar_header(name, size, mode, mtime) != read:
        raise Bad(f"{shown_name(name)} has a header that is damaged, or not of rigger's making")
    return Entry(name, size, mode, mtime)


def _check_kind(block: bytes, name: bytes) -> None:
    kind = block[156:157]
    if kind != b"0":
        raise Bad(
            f"{shown_name(name)} is {_KINDS.get(kind, f'of the unknown kind {shown_name(kind)}')}, not a plain file"
        )


def _raw_name(block: bytes) -> bytes:
    prefix, name = block[345:500].split(b"\0")[0], block[:100].split(b"\0")[0]
    return prefix + b"/" + name if prefix else name


def _octal(digits: bytes) -> int | None:
    return int(digits[:-1], 8) if re.fullmatch(rb"[0-7]+\0", digits) else None
