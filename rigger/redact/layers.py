"""The layers of a stream: what it says once more in base64 or hex, without its escapes, and decompressed."""

from __future__ import annotations

import re
from binascii import a2b_base64, unhexlify

from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

BLOCK = 1 << 20  # bytes that are decompressed at once
LEAST = 24  # digits of base64 or hex in a row; fewer hold too little
OPEN = (
    1 << 16
)  # digits in a row that are held back until its end is seen; a longer one is decoded piece by piece

COMPRESSED = re.compile(
    rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|BZh[1-9]1AY&SY|\xfd7zXZ\0|\x28\xb5\x2f\xfd|PK\x03\x04"
)
_OF_SIGNS = b"\x8b\x01^\x9c\xda&\xfd\x03"  # each sign has one of these
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[0-7]{3}|\\.|&#?\w{1,8};")
_ROW = re.compile(
    rb" ([^ ]{%d,})" % LEAST
)  # from its blank on: else each place in a shorter one would be tried
_MANY_BLANKS = 1 / 3
_IS_DIGIT = bytes(byte != 0x20 for byte in range(256))
LONGEST_MAGIC = 10
_ZSTD_BYTES = 128  # of zstd that are decompressed at once: four of them may stand for 128 KiB
_BYTES = 1 << 14  # of everything else
_LONGEST_ESCAPE = 11
_BEGINS_ESCAPE = re.compile(rb"[\\%&]")
_ENTITIES = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}


def _is_digit(byte: int) -> bool:
    return byte < 128 and (chr(byte).isalnum() or chr(byte) in "+/")


# What is a digit stays, of base64 in the usual alphabet; all else parts.
_BASE64 = bytes(
    ord("+") if byte == ord("-") else ord("/") if byte == ord("_") else byte if _is_digit(byte) else ord(" ")
    for byte in range(256)
)
_HEX = bytes(byte if chr(byte) in "0123456789abcdefABCDEF" else ord(" ") for byte in range(256))


class Lines:
    """Text as one line: what is encoded in lines, indented or not, is so again in one piece."""

    def __init__(self) -> None:
        self._held = b""
        self._in_indent = False

    def feed(self, data: bytes, final: bool = False) -> bytes:
        data = self._held + data
        self._held = b"\\" if data.endswith(b"\\") and not final else b""
        data = data[: len(data) - len(self._held)].replace(b"\\n", b"")
        if self._in_indent:
            data = data.lstrip(b" \t")
        if data:
            self._in_indent = data.rstrip(b" \t").endswith(b"\n")
        first, *others = data.split(b"\n")
        return b"".join([first, *(line.lstrip(b" \t") for line in others)]).replace(b"\r", b"")


@frozen
class Alphabet:
    """How bytes are written in digits: which those are, how many make a whole, and what they stand for."""

    digits: bytes  # a table for `bytes.translate`
    whole: int
    fill: bytes
    decode: Callable[[bytes], bytes]


BASE64 = Alphabet(_BASE64, 4, b"A", a2b_base64)
HEX = Alphabet(_HEX, 2, b"0", unhexlify)


class Digits:
    """What the rows of digits in a line stand for.

    Where the encoding begins nobody knows, as a word may stand right before it: each place where it may gives a stream.
    """

    def __init__(self, alphabet: Alphabet):
        self._alphabet = alphabet
        self._fills = [alphabet.fill * (-size % alphabet.whole) for size in range(alphabet.whole)]
        self._open = b""  # the row that has not ended
        self._begun = False  # whether what stood before `_open` in its row was decoded

    def feed(self, line: bytes, final: bool = False) -> list[bytes]:
        """Return what each of the streams goes on with."""
        text = self._open + line.translate(self._alphabet.digits)
        ended = text.find(b" ")
        ended = len(text) if final and ended < 0 else ended
        rows: list[list[bytes]] = [[] for _ in range(self._alphabet.whole)]
        if self._begun and ended < 0:
            self._open = text
        else:
            if self._begun:
                self._take(rows, [text[:ended]])
            begin, end = ended if self._begun else 0, len(text) if final else text.rfind(b" ") + 1
            self._begun, self._open = False, text[end:]
            self._take(rows, _rows(text, begin, end))
        if len(self._open) >= OPEN:
            self._take_open(rows)
        return [self._alphabet.decode(b"".join(parts)) for parts in rows]

    def _take(self, streams: list[list[bytes]], rows: list[bytes]) -> None:
        whole, fills = self._alphabet.whole, self._fills
        for start, parts in enumerate(streams):
            skip = self._skip(start)
            parts += [rest + fills[len(rest) % whole] for rest in (row[skip:] for row in rows)]

    def _take_open(self, rows: list[list[bytes]]) -> None:
        """Decode what is there of a long row; what one of the streams still needs of it stays."""
        whole = self._alphabet.whole
        cut = len(self._open) // whole * whole
        for start, parts in enumerate(rows):
            parts.append(self._open[self._skip(start) : cut - whole + start if start else cut])
        self._open, self._begun = self._open[cut - whole :], True

    def _skip(self, start: int) -> int:
        return self._alphabet.whole if self._begun and not start else start


def signs(data: bytes) -> Iterator[re.Match[bytes]]:
    """Return the signs of what is compressed; most text has no byte of any, which is seen a hundred times as fast."""
    return COMPRESSED.finditer(data) if any(byte in data for byte in _OF_SIGNS) else iter(())


def _rows(text: bytes, begin: int, end: int) -> list[bytes]:
    """Return the rows of LEAST digits and more between two places."""
    if text[begin:end:64].count(b" ") * 64 > (end - begin) * _MANY_BLANKS:
        return list(_rows_among_blanks(text, begin, end))
    first = text.find(b" ", begin, end)
    first = end if first < 0 else first
    row = [text[begin:first]] if first - begin >= LEAST else []
    return row + _ROW.findall(text, first, end)


def _rows_among_blanks(text: bytes, begin: int, end: int) -> Iterator[bytes]:
    """Give the same where most is blanks: a row has so many digits that half of them tell that it is there."""
    every_other, row = text[begin:end:2].translate(_IS_DIGIT), b"\1" * (LEAST // 2)
    at = every_other.find(row)
    while at >= 0:
        place = begin + 2 * at
        first = text.rfind(b" ", begin, place) + 1 or begin
        ended = text.find(b" ", place, end)
        ended = end if ended < 0 else ended
        if ended - first >= LEAST:
            yield text[first:ended]
        at = every_other.find(row, (ended - begin + 1) // 2)


class Unescaped:
    """Text without its escapes: those of JSON, C and shells, URLs and HTML."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes, final: bool = False) -> tuple[bytes, bool]:
        """Return what follows, and whether an escape was in it."""
        data = self._held + data
        cut = len(data) if final else _before_open_escape(data)
        data, self._held = data[:cut], data[cut:]
        if not any(byte in data for byte in b"%\\&"):
            return data, False
        plain = _ESCAPE.sub(_unquote, data)
        return plain, plain != data


def _before_open_escape(data: bytes) -> int:
    """Return where an escape begins that may go on after the end of the data; else its end."""
    match = _BEGINS_ESCAPE.search(data, max(0, len(data) - _LONGEST_ESCAPE))
    if not match:
        return len(data)
    before = data[max(0, match.start() - OPEN) : match.start()]
    return match.start() - (len(before) - len(before.rstrip(b"\\"))) % 2


def _unquote(match: re.Match[bytes]) -> bytes:
    text = match[0]
    if text.startswith(b"%"):
        return bytes([int(text[1:], 16)])
    if text.startswith(b"&"):
        return _entity(text)
    if text[1:2] in b"ux" and len(text) > 2:
        code = int(text[2:], 16)
        return bytes([code]) if text[1:2] == b"x" else chr(code).encode("utf-8", "surrogatepass")
    if len(text) == 4:
        return bytes([int(text[1:], 8) & 0xFF])
    return {b"n": b"\n", b"t": b"\t", b"r": b"\r"}.get(text[1:], text[1:])


def _entity(text: bytes) -> bytes:
    name = text[1:-1]
    try:
        if name.startswith((b"#x", b"#X")):
            return chr(int(name[2:], 16)).encode("utf-8", "surrogatepass")
        if name.startswith(b"#"):
            return chr(int(name[1:])).encode("utf-8", "surrogatepass")
    except (ValueError, OverflowError):
        return text
    return _ENTITIES.get(name, text)


class Unpacking:
    """Compressed data that begins with one of the signs of COMPRESSED; what does not go on like that is `over`."""

    def __init__(self, magic: bytes):
        self.over = False
        self._zip_head = b"" if magic.startswith(b"PK") else None
        self._unpacker = _unpacker(magic)
        self._size = _ZSTD_BYTES if magic.startswith(b"\x28") else _BYTES

    def feed(self, data: memoryview) -> Iterator[bytes]:
        """Return what follows, in blocks of up to a few MiB."""
        if self._zip_head is not None:
            data = self._after_head(data)
        for start in range(0, len(data), self._size):
            if self.over:
                return
            yield from self._unpack(data[start : start + self._size])

    def _after_head(self, data: memoryview) -> memoryview:
        """Return what stands behind the head of a file in a zip archive: APPNOTE.TXT, 4.3.7."""
        assert self._zip_head is not None
        head = self._zip_head + bytes(data[: 30 + 2 * 0xFFFF])
        size = 30 + sum(int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
        if len(head) < max(30, size):
            self._zip_head = head
            return data[:0]
        begun, self._zip_head = len(self._zip_head), None
        return data[size - begun :]

    def _unpack(self, block: memoryview) -> Iterator[bytes]:
        try:
            if self._size == _ZSTD_BYTES:
                yield self._unpacker.decompress(bytes(block))
            elif hasattr(self._unpacker, "unconsumed_tail"):
                rest: bytes | memoryview = block
                while rest and not self._unpacker.eof:
                    yield self._unpacker.decompress(rest, BLOCK)
                    rest = self._unpacker.unconsumed_tail
            else:
                yield self._unpacker.decompress(block, BLOCK)
                while not (self._unpacker.needs_input or self._unpacker.eof):
                    yield self._unpacker.decompress(b"", BLOCK)
            self.over = self._unpacker.eof
        except Exception:  # no compressed data, or the end of it is another's
            self.over = True


def _unpacker(magic: bytes) -> Any:
    if magic.startswith(b"BZh"):
        import bz2

        return bz2.BZ2Decompressor()
    if magic.startswith(b"\xfd"):
        import lzma

        return lzma.LZMADecompressor()
    if magic.startswith(b"\x28"):
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj()
    import zlib

    return zlib.decompressobj(-15 if magic.startswith(b"PK") else 47)
