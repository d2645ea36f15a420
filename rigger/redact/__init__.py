"""Secrets out of streams and texts: whatever form a secret appears in, `***` stands in its place.

A Redactor masks, and rather too much than too little. A Finder only looks, fast, for what betrays a secret.
"""

from __future__ import annotations

from itertools import groupby

from rigger import text as texts
from rigger.redact.forms import MIN_LENGTH, encode, forms_of, telling_forms
from rigger.redact.search import Search

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
        self._search = Search(sorted(pieces))
        self._starts = {anchor[:MIN_LENGTH] for anchor in anchors}
        self._letters = bytes({*b"".join(pieces)})
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
        whole = {start for start, _ in self._search.hits(data) if start <= last}
        end = data[-_PIECE:]
        begun = len(data) - len(end) + len(end.rstrip(self._letters))  # what begins before ends there, too
        left = range(begun, min(last, len(data) - MIN_LENGTH) + 1)
        return sorted(whole.union(at for at in left if data[at : at + MIN_LENGTH] in self._starts))

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
        self._search = Search(needles) if needles else None

    def find(self, data: bytes | bytearray) -> Iterator[tuple[int, int]]:
        """Where in the data a secret, or a piece of a long one, begins and ends."""
        for start, needle in self._search.hits(data) if self._search else ():
            yield start, start + len(needle)


def _anchor_and_size(piece: bytes) -> tuple[bytes, int]:
    return piece[:_ANCHOR], len(piece)


def _longest_first(piece: bytes) -> tuple[bytes, int]:
    return piece[:_ANCHOR], -len(piece)


def _pieces(form: bytes) -> list[bytes]:
    """The form cut into pieces of about the same length, none longer than _PIECE."""
    count = -(-len(form) // _PIECE)
    return [form[len(form) * i // count : len(form) * (i + 1) // count] for i in range(count)]
