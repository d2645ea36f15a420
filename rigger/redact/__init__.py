"""Secrets out of streams and texts: whatever form a secret appears in, `***` stands in its place.

A Redactor masks, and rather too much than too little. A Finder only looks, fast, for what betrays a secret.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby

from rigger import text as texts
from rigger.redact.forms import MIN_LENGTH, encode, forms_of, telling_forms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

MASK = b"***"

# In bytes. Longer forms are masked piece by piece, so that no more than this is ever held back and no
# input can make the search slow.
_PIECE = 256

# In bytes. How much of the beginning of a form the search looks for; what it finds is then compared in full.
_ANCHOR = 8

# How much of what files hold may be made one byte: where more is, the search would stop at every word.
_RARE = 0.15

# In bytes. What is looked at in one go: what it makes of it should stay in the processor's cache.
_WINDOW = 256 * 1024

# In bytes. How much of the first block tells which bytes are seldom in what is searched.
_SAMPLE = 4096

# Bytes that ordinary text, programs and logs are full of, the most frequent first.
_COMMON = b"\0 e0123456789taoinsr\nldcumpfg-h_./,\"yb:=v()k'w;AESTRCINODLxPMjzqBF\xff"


def maskable(secrets: Mapping[Any, str]) -> list[str]:
    """Return the values of secrets that are long enough to be masked, and looked for."""
    return [value for value in secrets.values() if len(encode(value)) >= MIN_LENGTH]


class Redactor:
    """Knows the secrets and masks them; what is added counts at once, for streams already open too."""

    def __init__(self, secrets: Iterable[str] = (), thorough: bool = False):
        self._thorough = thorough
        self._forms: set[bytes] = set()
        self._matcher: _Matcher | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Mask this secret from now on; one of fewer than MIN_LENGTH bytes is ignored."""
        forms = forms_of(encode(secret), self._thorough)
        if not forms <= self._forms:
            self._forms |= forms
            self._matcher = None

    def stream(self) -> Stream:
        """A filter for one stream of output."""
        return Stream(self)

    def bytes(self, data: bytes) -> bytes:
        """The data with every secret masked."""
        stream = self.stream()
        return stream.feed(data) + stream.finish()

    def text(self, text: str) -> str:
        """The text with every secret masked."""
        return texts.decode(self.bytes(encode(text)))

    def matcher(self) -> _Matcher | None:
        """What finds the secrets known now; None when there are none."""
        if self._matcher is None and self._forms:
            self._matcher = _Matcher(self._forms)
        return self._matcher


class Stream:
    """Masks a stream that comes in blocks, wherever they are cut.

    Holds back only the end of a block that may be the beginning of a secret, at most _PIECE bytes.
    """

    def __init__(self, redactor: Redactor):
        self._redactor = redactor
        self._held = b""
        # Where the last mask that is already out ends, in the held bytes; below 0 when it is further back.
        self._masked = -1

    def feed(self, block: bytes) -> bytes:
        """What can be shown after this block."""
        return self._pass_on(self._held + block, final=False)

    def finish(self) -> bytes:
        """What was still held back."""
        return self._pass_on(self._held, final=True)

    def _pass_on(self, data: bytes, final: bool) -> bytes:
        matcher = self._redactor.matcher()
        if matcher is None:
            return data
        shown, hold, masked = matcher.mask(data, self._masked, final)
        self._held, self._masked = data[hold:], max(masked - hold, -1)
        return shown


class _Matcher:
    """Finds a fixed set of byte strings in one pass, however many they are."""

    def __init__(self, forms: Iterable[bytes]):
        pieces = {piece for form in forms for piece in _pieces(form)}
        self._groups: dict[bytes, list[tuple[int, set[bytes]]]] = {}
        anchors = sorted({piece[:_ANCHOR] for piece in pieces})
        for (anchor, size), group in groupby(sorted(pieces, key=_longest_first), key=_anchor_and_size):
            self._groups.setdefault(anchor, []).append((size, set(group)))
        self._search = _Search(sorted(pieces))
        starts = _starting_with(sorted({anchor[:MIN_LENGTH] for anchor in anchors}))
        self._starts = re.compile(b"(?=" + starts + b")", re.DOTALL)  # looked ahead for: they may overlap
        self._sizes = sorted({len(anchor) for anchor in anchors}, reverse=True)
        self._beginnings = {anchor[:size] for anchor in anchors for size in range(1, len(anchor))}

    def mask(self, data: bytes, masked: int, final: bool) -> tuple[bytes, int, int]:
        """The data masked as far as it is decided, where that ends, and where the last mask ends.

        Every byte of every occurrence is masked. Occurrences that overlap or touch become one mask, as the
        pieces of a long secret have to. `masked` is where a mask that is already out ends.
        """
        shown: list[bytes] = []
        hold = len(data) if final else self._undecided_tail(data)
        for start in self._candidates(data, hold):
            end, decided = self._measure(data, start, final)
            if end and start > masked:
                shown += (data[max(masked, 0) : start], MASK)
            masked = max(masked, end or -1)
            if not decided:
                hold = start
                break
        shown.append(data[max(masked, 0) : hold])
        return b"".join(shown), hold, masked

    def _candidates(self, data: bytes, last: int) -> list[int]:
        """Where a secret is, and where the end of the data may have cut one off, from the first to the last."""
        whole = {start for found in self._search.hits(data) for start, _ in found if start <= last}
        cut_off = self._starts.finditer(data, max(0, len(data) - _PIECE), last + MIN_LENGTH)
        return sorted(whole.union(match.start() for match in cut_off))

    def _measure(self, data: bytes, start: int, final: bool) -> tuple[int, bool]:
        """Where the longest form that begins at `start` ends, else 0, and whether that is final."""
        for size in self._sizes:
            for length, forms in self._groups.get(data[start : start + size], ()):
                found = data[start : start + length]
                if found in forms:
                    return start + length, True
                if len(found) < length and not final and any(form.startswith(found) for form in forms):
                    return self._measure(data, start, True)[0], False
        return 0, True

    def _undecided_tail(self, data: bytes) -> int:
        """Where the end of the data begins that is too short to tell whether a secret starts there."""
        for size in range(min(_ANCHOR - 1, len(data)), 0, -1):
            if data[-size:] in self._beginnings:
                return len(data) - size
        return len(data)


class Finder:
    """Finds secrets in data of any size: a fixed set of them, in every form that betrays one.

    Left out of what a Redactor masks are the parts that other data shares by right: the frame of a PEM key,
    lines of a few words, the last characters of a broken base64, the spaces around a secret.
    """

    def __init__(self, secrets: Iterable[str], thorough: bool = False):
        forms = {form for secret in secrets for form in telling_forms(encode(secret), thorough)}
        needles = sorted({piece for form in forms for piece in _pieces(form)})
        # In bytes. What lies across a cut between two blocks lies within this distance of it.
        self.reach = max(map(len, needles), default=0)
        self._search = _Search(needles) if needles else None

    def find(self, data: bytes | bytearray) -> Iterator[tuple[int, int]]:
        """Where in the data a secret, or a piece of a long one, begins and ends."""
        for found in self._search.hits(data) if self._search else ():
            start, needle = found[0]
            yield start, start + len(needle)


class _Search:
    """Where a fixed set of byte strings occurs.

    A few rare bytes are chosen of which every needle has one. They are made one byte, as nothing is found faster than
    that; where it is found, the bytes that were there tell which needles may be around.
    """

    def __init__(self, needles: list[bytes]):
        self._needles = needles
        self._choose(_usual())
        self._learns = True  # from the first block, which bytes are seldom there

    def _choose(self, likeness: list[float]) -> None:
        """Choose the rare bytes by how likely each of the 256 is."""
        rare = _cover(self._needles, likeness)
        alike = rare if sum(likeness[byte] for byte in rare) < _RARE * sum(likeness) else b""
        # Every byte changes: `translate` is twice as fast when it need not guess whether one does.
        self._fold = bytes((rare[0] if byte in alike else byte) ^ 0x80 for byte in range(256))
        self._around: dict[bytes, list[tuple[int, bytes]]] = {}
        for needle in self._needles:
            at = _rarest(needle, alike, likeness)
            self._around.setdefault(needle[at : at + MIN_LENGTH], []).append((at, needle))
        anchors = sorted({anchor.translate(self._fold) for anchor in self._around})
        self._search = re.compile(_starting_with(anchors), re.DOTALL).search

    def hits(self, data: bytes | bytearray) -> Iterator[list[tuple[int, bytes]]]:
        """The needles that occur around one place after the other, and where each begins."""
        if self._learns and len(data) >= _SAMPLE:
            self._learns = False
            seen = Counter(data[:_SAMPLE])
            self._choose([usual + seen[byte] / _SAMPLE for byte, usual in enumerate(_usual())])
        search, fold, around = (
            self._search,
            self._fold,
            self._around,
        )  # what another search learns changes nothing
        for start in range(0, len(data), _WINDOW):
            folded = data[start : start + _WINDOW + MIN_LENGTH - 1].translate(fold)
            match = search(folded)
            while match:
                place = start + match.start()
                if found := _begun(data, place, around.get(bytes(data[place : place + MIN_LENGTH]), ())):
                    yield found
                match = search(folded, match.start() + 1)


def _begun(
    data: bytes | bytearray, place: int, around: Iterable[tuple[int, bytes]]
) -> list[tuple[int, bytes]]:
    """Which needles are in the data around a place, and where each begins."""
    begun = ((place - at, needle) for at, needle in around)
    return [(start, needle) for start, needle in begun if start >= 0 and data.startswith(needle, start)]


def _rarest(needle: bytes, alike: bytes, likeness: list[float]) -> int:
    """Where in a needle the MIN_LENGTH bytes begin that text has seldom, once `alike` bytes are one; one of them is the first."""
    places = [at for at, byte in enumerate(needle[: 1 - MIN_LENGTH]) if byte in alike] or [0]
    rareness = [sum(likeness) if byte in alike else likeness[byte] for byte in needle]
    return min(places, key=lambda at: sum(rareness[at : at + MIN_LENGTH]))


def _cover(needles: list[bytes], likeness: list[float]) -> bytes:
    """A few bytes, rare ones if possible, so that each needle has one of them before its last three."""
    left = [frozenset(needle[: 1 - MIN_LENGTH]) for needle in needles]
    chosen = bytearray()
    while left:
        counts = Counter(byte for letters in left for byte in letters)
        best = max(counts, key=lambda byte: (counts[byte] / likeness[byte], byte))
        chosen.append(best)
        left = [letters for letters in left if best not in letters]
    for byte in sorted(chosen, key=lambda byte: -likeness[byte]):  # what was chosen since may do without it
        others = {*chosen} - {byte}
        if all(not others.isdisjoint(needle[: 1 - MIN_LENGTH]) for needle in needles):
            chosen.remove(byte)
    return bytes(chosen)


def _frequency(byte: int) -> float:
    """How often a byte occurs in files, in no unit: a guess is enough to search fast."""
    rank = _COMMON.find(byte)
    return 0.5 if rank < 0 else 1.0 + 60.0 / (1 + rank / 4)


def _usual() -> list[float]:
    """How likely each byte is in files of all kinds."""
    often = [_frequency(byte) for byte in range(256)]
    return [one / sum(often) for one in often]


def _anchor_and_size(piece: bytes) -> tuple[bytes, int]:
    return piece[:_ANCHOR], len(piece)


def _longest_first(piece: bytes) -> tuple[bytes, int]:
    return piece[:_ANCHOR], -len(piece)


def _pieces(form: bytes) -> list[bytes]:
    """The form cut into pieces of about the same length, none longer than _PIECE."""
    count = -(-len(form) // _PIECE)
    return [form[len(form) * i // count : len(form) * (i + 1) // count] for i in range(count)]


def _starting_with(anchors: list[bytes]) -> bytes:
    """The pattern of the sorted anchors, as a tree, so that the search does not try them one by one."""
    if not anchors[0]:
        return b""
    branches = []
    for first, group in groupby(anchors, key=lambda anchor: anchor[:1]):
        branches.append(re.escape(first) + _starting_with([anchor[1:] for anchor in group]))
    return branches[0] if len(branches) == 1 else b"(?:" + b"|".join(branches) + b")"
