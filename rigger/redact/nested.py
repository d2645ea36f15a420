"""Look for secrets in all that a file is made of: compressed, encoded and quoted, one in the other.

Everything is looked at once, block by block, in an amount of memory that depends on no file's size.
"""

from __future__ import annotations

from rigger.envfile.names import is_core
from rigger.later import later
from rigger.redact import Finder
from rigger.redact.forms import MIN_LENGTH, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rigger.redact import layers as coded
else:
    coded = later("rigger.redact.layers")

DEPTH = 3  # layers, one in the other, that are looked into
KEPT = 64 << 20  # bytes of what was decompressed that are looked into further
MOST = 8 << 30  # bytes that something may decompress to; what is more counts as holding a secret
CONTEXT = 1 << 16  # bytes without an escape that are looked at once more with an escape after them


def holding(values: Mapping[str, str], secrets: Iterable[str], layers: bool = True) -> set[str]:
    """Return the names of the values that one of the secrets went into: they are secrets too.

    With `layers` in whatever form, as for what is stored and packed; else as it is, which costs next to nothing.
    """
    known = [secret for secret in secrets if len(encode(secret)) >= MIN_LENGTH]
    if not known:
        return set()
    search = SecretSearch(known) if layers else None
    return {
        name
        for name, value in values.items()
        if (any(secret in value for secret in known) or (search and search.holds(encode(value))))
        and not is_core(name, values)
    }


class SecretSearch:
    """Knows secrets, and whether something holds one of them."""

    def __init__(self, secrets: Iterable[str]):
        self._finder = Finder(secrets, thorough=True)

    def holds(self, data: bytes) -> bool:
        """Return whether one of the secrets is in the data, or in what lies in it, up to DEPTH layers down."""
        return self.holds_any(data[start : start + coded.BLOCK] for start in range(0, len(data), coded.BLOCK))

    def holds_any(self, blocks: Iterable[bytes]) -> bool:
        """Return as `holds` whether one of the secrets is in what comes in blocks, wherever they are cut."""
        if not self._finder.reach:
            return False
        looked = _Looked(self._finder, DEPTH)
        last = b""
        for block in blocks:
            if last and looked.feed(last):
                return True
            last = block
        return looked.feed(last, final=True)


class _Looked:
    """A stream that is looked through, with all that lies in it."""

    def __init__(self, finder: Finder, depth: int, unescaped: bool = False):
        self._finder, self.depth, self._is_unescaped = finder, depth, unescaped
        self._tail = b""
        self._unpacked: list[_Unpacked] = []
        self._lines, self._digits = coded.Lines(), (coded.Digits(coded.BASE64), coded.Digits(coded.HEX))
        self._decoded: dict[int, _Looked] = {}
        self._unescape, self._context, self._unchanged = coded.Unescaped(), b"", 0
        self._plain: _Looked | None = None

    def feed(self, data: bytes, final: bool = False) -> bool:
        """Return whether a secret is in what came so far."""
        seam, reach = self._tail + data, max(self._finder.reach, coded.LONGEST_MAGIC)
        if next(self._finder.find(seam), None) is not None:
            return True
        before, self._tail = len(self._tail), seam[-reach:]
        return bool(self.depth) and (
            self._in_compressed(seam, before, final)
            or self._in_digits(data, final)
            or self._in_plain(data, final)
        )

    def _in_compressed(self, seam: bytes, before: int, final: bool) -> bool:
        view = memoryview(seam)
        if any(unpacked.feed(view[before:], final) for unpacked in self._unpacked):
            return True
        self._unpacked = [unpacked for unpacked in self._unpacked if not unpacked.over]
        for match in coded.signs(seam):
            if match.end() > before:
                unpacked = _Unpacked(match[0], _Looked(self._finder, self.depth - 1))
                if unpacked.feed(view[match.start() :], final):
                    return True
                if not unpacked.over:
                    self._unpacked.append(unpacked)
        return False

    def _in_digits(self, data: bytes, final: bool) -> bool:
        line = self._lines.feed(data, final)
        streams = [stream for digits in self._digits for stream in digits.feed(line, final)]
        for number, stream in enumerate(streams):
            if stream and number not in self._decoded:
                self._decoded[number] = _Looked(self._finder, self.depth - 1)
            if number in self._decoded and (stream or final) and self._decoded[number].feed(stream, final):
                return True
        return False

    def _in_plain(self, data: bytes, final: bool) -> bool:
        """Look at what is left without escapes: only around those, as everything else was looked at as it is."""
        if self._is_unescaped and not data.isascii():  # no text, of which a few bytes look like an escape
            return False
        plain, changed = self._unescape.feed(data, final)
        if changed and self._plain is None:
            self._plain = _Looked(self._finder, self.depth - 1, unescaped=True)
            plain = self._context + plain
        self._unchanged = 0 if changed else self._unchanged + len(plain)
        self._context = (self._context + plain)[-CONTEXT:]
        over = final or self._unchanged > CONTEXT
        if self._plain is None or not self._plain.feed(plain, over):
            self._plain = None if over else self._plain
            return False
        return True


class _Unpacked:
    """Something compressed in a stream, and what it is decompressed to."""

    def __init__(self, magic: bytes, looked: _Looked):
        self._unpacking, self._looked, self._size = coded.Unpacking(magic), looked, 0

    @property
    def over(self) -> bool:
        return self._unpacking.over

    def feed(self, data: memoryview, final: bool) -> bool:
        for block in self._unpacking.feed(data):
            self._size += len(block)
            if self._size > MOST or self._looked.feed(block):
                return True
            if self._size > KEPT:
                self._looked.depth = 0
        return bool(self._size) and (final or self.over) and self._looked.feed(b"", final=True)
