"""Look for secrets in all that a file is made of: compressed, encoded and quoted, one in the other."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from rigger.envfile.names import is_core
from rigger.redact import Finder
from rigger.redact.forms import MIN_LENGTH, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DEPTH = 3  # layers, one in the other, that are looked into
BLOCK = 1 << 20  # bytes that are decompressed at once
KEPT = 64 << 20  # bytes of what was decompressed that are looked into further
MOST = 8 << 30  # bytes that something may decompress to; what is more counts as holding a secret


def _is_digit(byte: int) -> bool:
    return byte < 128 and (chr(byte).isalnum() or chr(byte) in "+/")


_COMPRESSED = re.compile(
    rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|BZh[1-9]1AY&SY|\xfd7zXZ\0|\x28\xb5\x2f\xfd|PK\x03\x04"
)
_INDENT = re.compile(rb"\n[ \t]+")
# What is a digit of base64 stays, in the usual alphabet; all else parts.
_DIGITS = bytes(
    ord("+") if byte == ord("-") else ord("/") if byte == ord("_") else byte if _is_digit(byte) else ord(" ")
    for byte in range(256)
)
_RUN = re.compile(rb"[^ ]{24,}")  # shorter ones hold too little
_HEX = re.compile(rb"[0-9A-Fa-f]{24,}")
_QUOTED = re.compile(rb"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[0-7]{3}|\\.|&#?\w{1,8};")
_ENTITIES = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}


def holding(values: Mapping[str, str], secrets: Iterable[str]) -> set[str]:
    """Return the names of the values that one of the secrets went into, in whatever form: they are secrets too."""
    known = [secret for secret in secrets if len(encode(secret)) >= MIN_LENGTH]
    if not known:
        return set()
    search = SecretSearch(known)
    return {
        name for name, value in values.items() if search.holds(encode(value)) and not is_core(name, values)
    }


class SecretSearch:
    """Knows secrets, and whether something holds one of them."""

    def __init__(self, secrets: Iterable[str]):
        self._finder = Finder(secrets, thorough=True)

    def holds(self, data: bytes, depth: int = DEPTH, unquoted: bool = False) -> bool:
        """Return whether one of the secrets is in the data, or in what lies in it, so many layers down."""
        if not self._finder.reach:
            return False
        if next(self._finder.find(data), None) is not None:
            return True
        if not depth:
            return False
        if any(self._holds_compressed(data, match, depth) for match in _COMPRESSED.finditer(data)):
            return True
        if any(self.holds(layer, depth - 1) for layer in _layers(data)):
            return True
        if unquoted and not data.isascii():  # no text, of which a few bytes look like an escape
            return False
        plain = _QUOTED.sub(_unquote, data)
        return plain != data and self.holds(plain, depth - 1, unquoted=True)

    def _holds_compressed(self, data: bytes, match: re.Match[bytes], depth: int) -> bool:
        kept, tail, size = bytearray(), b"", 0
        for block in _decompressed(data, match):
            size += len(block)
            if size > MOST or next(self._finder.find(tail + block), None) is not None:
                return True
            tail = (tail + block)[-self._finder.reach :]
            if len(kept) < KEPT:
                kept += block
        return bool(kept) and self.holds(bytes(kept), depth - 1)


def _layers(data: bytes) -> Iterator[bytes]:
    """Return what the data says once more: what is in base64, and in hex digits."""
    lines = _INDENT.sub(b"", data.replace(b"\\n", b"")).translate(None, b"\r\n")  # as one
    runs = _RUN.findall(lines.translate(_DIGITS))
    if not runs:
        return
    for start in range(4):  # where the encoding begins nobody knows: a word may stand right before it
        yield b64decode(b"".join(run[start:] + b"AAA"[: (start - len(run)) % 4] for run in runs))
    if digits := _HEX.findall(b" ".join(runs)):
        for start in range(2):
            whole = b"".join(run[start:] + b"0" * ((start - len(run)) % 2) for run in digits)
            yield bytes.fromhex(whole.decode())


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


def _decompressed(data: bytes, match: re.Match[bytes]) -> Iterator[bytes]:
    """Return what begins at a place as compressed data does, as far as it can be decompressed."""
    import zlib

    rest: Any = memoryview(data)[match.start() :]
    if match[0].startswith(b"PK"):
        name, extra = (int.from_bytes(rest[at : at + 2], "little") for at in (26, 28))
        rest = rest[30 + name + extra :]
        unpacker: Any = zlib.decompressobj(-15)
    elif match[0].startswith((b"\x1f", b"\x78")):
        unpacker = zlib.decompressobj(47)
    else:
        unpacker = _unpacker(match[0])
    try:
        for start in range(0, len(rest), BLOCK // 64):
            block = rest[start : start + BLOCK // 64]
            if isinstance(unpacker, type(zlib.decompressobj())):
                while block and not unpacker.eof:
                    yield unpacker.decompress(block, BLOCK)
                    block = unpacker.unconsumed_tail
            else:
                yield unpacker.decompress(bytes(block))
            if getattr(unpacker, "eof", False):
                return
    except Exception:  # no compressed data, or the end of it is another's
        return


def _unpacker(magic: bytes) -> Any:
    if magic.startswith(b"BZh"):
        import bz2

        return bz2.BZ2Decompressor()
    if magic.startswith(b"\xfd"):
        import lzma

        return lzma.LZMADecompressor()
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj()
