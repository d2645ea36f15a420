"""Where a fixed set of byte strings occurs in much data, nearly all of which has none of them.

Nothing looks at data faster than what looks for one byte. So a few bytes that the data have seldom are chosen, of which
nearly every string has one, and what stands around them tells which string may be there. Of the strings that are left, the
long ones are known by their letters alone: a long row of hex digits is rare. The rest, words of the data's own letters, are
searched for in earnest.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby

from rigger.redact.forms import MIN_LENGTH
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    Around = dict[bytes, list[tuple[int, bytes]]]  # MIN_LENGTH bytes -> the needles that have them, and where

# The share of the data up to which a byte is seldom: a stop at one costs as much as looking through this many bytes.
_SELDOM = 1 / 1000

# How many bytes of a needle are looked at to tell, by its letters, that it may be there; every other one, or fewer.
_ROW = 12
_LONG = 16  # bytes of a needle of which that may be enough

# How likely a row of the needles' letters may be, for that to be of use.
_RARE_ROW = 0.02

# How much of what files hold may be made one byte: where more is, the search would stop at every word.
_RARE = 0.15

# In bytes. What is looked at in one go: what it makes of it should stay in the processor's cache.
_WINDOW = 256 * 1024

# In bytes. How much of a block tells which bytes are seldom in what is searched; and how many blocks may do so.
_SAMPLE = 4096
_LESSONS = 8

# How much less what files usually hold counts than what was seen.
_DOUBT = 1 / 8

# Bytes that ordinary text, programs and logs are full of, the most frequent first.
_COMMON = b"\0 e0123456789taoinsr\nldcumpfg-h_./,\"yb:=v()k'w;AESTRCINODLxPMjzqBF\xff"


class Search:
    """Where the needles occur; what it meets teaches it how to look for them fast."""

    def __init__(self, needles: Sequence[bytes]):
        self._needles = needles
        self._seen: Counter[int] = Counter()
        self._lessons = _LESSONS
        self._way = _way(needles, _usual())

    def hits(self, data: bytes | bytearray) -> Iterator[tuple[int, bytes]]:
        """Give every place where a needle begins, in no order, and the needle."""
        if not self._seen:
            self._learn(data)
        way = self._way  # what another search learns meanwhile changes nothing
        stops = 0
        for byte in way.seldom:
            place = data.find(byte)
            while place >= 0:
                stops += 1
                if needles := way.around.get(bytes(data[place : place + MIN_LENGTH])):
                    yield from _begun(data, place, needles)
                place = data.find(byte, place + 1)
        if stops > 2 * _SELDOM * len(data) * max(1, len(way.seldom)):
            self._learn(data)
        for rows in way.rows:
            yield from rows.hits(data)

    def _learn(self, data: bytes | bytearray) -> None:
        """Choose anew by what was seen, where there is enough of it."""
        if len(data) < _SAMPLE or not self._lessons:
            return
        self._lessons -= 1
        self._seen.update(data[:_SAMPLE])
        total = self._seen.total()
        likeness = [usual * _DOUBT + self._seen[byte] / total for byte, usual in enumerate(_usual())]
        self._way = _way(self._needles, likeness)


@frozen
class _Way:
    """How needles are looked for: by a seldom byte, or by the row of letters that they are."""

    seldom: bytes
    around: Around
    rows: Sequence[_Rows]


def _way(needles: Sequence[bytes], likeness: list[float]) -> _Way:
    allowed = {byte for byte in range(256) if likeness[byte] < _SELDOM * sum(likeness)}
    with_one = [needle for needle in needles if not allowed.isdisjoint(needle[: 1 - MIN_LENGTH])]
    seldom = _cover(with_one, likeness, allowed)
    around: Around = {}
    for needle in with_one:
        places = (at for at, byte in enumerate(needle[: 1 - MIN_LENGTH]) if byte in seldom)
        at = min(places, key=lambda at: likeness[needle[at]])
        around.setdefault(needle[at : at + MIN_LENGTH], []).append((at, needle))
    left = [needle for needle in needles if allowed.isdisjoint(needle[: 1 - MIN_LENGTH])]
    long = [needle for needle in left if len(needle) >= _LONG]
    step = _step(long, likeness)
    short = [needle for needle in left if len(needle) < _LONG]
    groups = ((long, step), (short, 0)) if step else ((left, 0),)
    rows = [_Rows(group, apart, likeness) for group, apart in groups if group]
    return _Way(seldom, around, rows)


def _step(needles: Sequence[bytes], likeness: list[float]) -> int:
    """Return how far apart the bytes may be by which needles are known as rows of their letters; 0 where those are common."""
    shortest = min(map(len, needles), default=0)
    step = max(2, shortest // _ROW)
    share = sum(likeness[byte] for byte in {*b"".join(needles)}) / sum(likeness)
    return step if needles and share ** (shortest // step) < _RARE_ROW else 0


class _Rows:
    """Needles without a seldom byte. Where there is a step, a row of their letters so far apart tells that one may be there."""

    def __init__(self, needles: Sequence[bytes], step: int, likeness: list[float]):
        self._needles, self._step, self._likeness = needles, step, likeness
        letters = {*b"".join(needles)}
        self._is_letter = bytes(byte in letters for byte in range(256))
        self._row = b"\1" * (min(map(len, needles)) // step if step else 0)
        self._folded: _Folded | None = None

    def hits(self, data: bytes | bytearray) -> Iterator[tuple[int, bytes]]:
        for start, end in self._rows(data) if self._step else [(0, len(data))]:
            if self._folded is None:  # it takes a while to make, and often is of no use
                self._folded = _Folded(self._needles, self._likeness)
            for place, needle in self._folded.hits(data[start:end]):
                yield start + place, needle

    def _rows(self, data: bytes | bytearray) -> Iterator[tuple[int, int]]:
        """Give the places between which one byte after the other, of those that are looked at, is one of the letters."""
        step, looked_at = self._step, data[:: self._step].translate(self._is_letter)
        begun = looked_at.find(self._row)
        while begun >= 0:
            ended = looked_at.find(b"\0", begun)
            ended = len(looked_at) if ended < 0 else ended
            yield max(0, (begun - 1) * step + 1), ended * step
            begun = looked_at.find(self._row, ended)


class _Folded:
    """Needles of any kind.

    A few rare bytes are chosen of which every needle has one. They are made one byte, which is found fast; where it is
    found, the bytes that were there tell which needles may be around.
    """

    def __init__(self, needles: Sequence[bytes], likeness: list[float]):
        rare = _cover(needles, likeness, range(256))
        alike = rare if sum(likeness[byte] for byte in rare) < _RARE * sum(likeness) else b""
        # Every byte changes: `translate` is twice as fast when it need not guess whether one does.
        self._fold = bytes((rare[0] if byte in alike else byte) ^ 0x80 for byte in range(256))
        self._around: Around = {}
        for needle in needles:
            at = _rarest(needle, alike, likeness)
            self._around.setdefault(needle[at : at + MIN_LENGTH], []).append((at, needle))
        anchors = sorted({anchor.translate(self._fold) for anchor in self._around})
        self._search = re.compile(_starting_with(anchors), re.DOTALL).search

    def hits(self, data: bytes | bytearray) -> Iterator[tuple[int, bytes]]:
        for start in range(0, len(data), _WINDOW):
            folded = data[start : start + _WINDOW + MIN_LENGTH - 1].translate(self._fold)
            match = self._search(folded)
            while match:
                place = start + match.start()
                needles = self._around.get(bytes(data[place : place + MIN_LENGTH]), ())
                yield from _begun(data, place, needles)
                match = self._search(folded, match.start() + 1)


def _begun(
    data: bytes | bytearray, place: int, around: Iterable[tuple[int, bytes]]
) -> Iterator[tuple[int, bytes]]:
    """Give the needles that are in the data around a place, and where each begins."""
    for at, needle in around:
        if place >= at and data.startswith(needle, place - at):
            yield place - at, needle


def _rarest(needle: bytes, alike: bytes, likeness: list[float]) -> int:
    """Where in a needle the MIN_LENGTH bytes begin that text has seldom, once `alike` bytes are one; one of them is the first."""
    places = [at for at, byte in enumerate(needle[: 1 - MIN_LENGTH]) if byte in alike] or [0]
    rareness = [sum(likeness) if byte in alike else likeness[byte] for byte in needle]
    return min(places, key=lambda at: sum(rareness[at : at + MIN_LENGTH]))


def _cover(needles: Sequence[bytes], likeness: list[float], allowed: Collection[int]) -> bytes:
    """A few of the allowed bytes, rare ones if possible, so that each needle has one of them before its last three."""
    left = [frozenset(needle[: 1 - MIN_LENGTH]).intersection(allowed) for needle in needles]
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


def _starting_with(anchors: list[bytes]) -> bytes:
    """The pattern of the sorted anchors, as a tree, so that the search does not try them one by one."""
    if not anchors[0]:
        return b""
    branches = []
    for first, group in groupby(anchors, key=lambda anchor: anchor[:1]):
        branches.append(re.escape(first) + _starting_with([anchor[1:] for anchor in group]))
    return branches[0] if len(branches) == 1 else b"(?:" + b"|".join(branches) + b")"
