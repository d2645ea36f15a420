"""What a version is, as repositories tag them, and the order: 1.10 after 1.9, candidates before their release.

The order is that of semver.org for what stands behind a hyphen, and PEP 440's for .dev and .post. The numbers behind a +
count as well, as builds of one release do (v1.30.1+k3s9 comes before v1.30.1+k3s10).
"""

from __future__ import annotations

import re

from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LOOKS = "1.2.0, v1.2.0, release-1.2.0, NAME-1.2.0, NAME/v1.2.0 or 2026.01.31"
LONGEST = 255  # characters; git's longest ref

ON_TOP = r"-([0-9]+)-g[0-9a-f]{4,64}(-dirty)?$"  # what git describe puts behind a tag

_RELEASE = (
    r"(?:releases?|rel|version|ver|tags?|stable|r|v)"  # what may stand before a number and names nothing
)
_NUMBER = r"[0-9]{1,18}"
_DATE = r"(?:19|20)[0-9]{2}"
_NUMBERS = (
    rf"(?:{_DATE}-[0-9]{{1,2}}(?:-[0-9]{{1,2}})?(?:T[0-9]{{2}}[-:.]?[0-9]{{2}}(?:[-:.]?[0-9]{{2}})?Z?)?"  # 2026-01-31
    rf"|{_NUMBER}(?:[._]{_NUMBER})*)(?![0-9])"
)
_SUFFIX = r"(?:[-+._~]?[0-9A-Za-z][0-9A-Za-z.+_~-]*)?"
_VERSION = rf"[vV]?(?P<numbers>{_NUMBERS})(?P<suffix>{_SUFFIX})"
_TAGS = (
    _VERSION,
    rf"(?P<name>[A-Za-z]+)(?={_NUMBER}[._]{_NUMBER}){_VERSION}",  # go1.21
    rf"(?P<name>(?i:{_RELEASE})){_VERSION}",  # r10
    rf"(?P<name>[A-Za-z@][A-Za-z0-9_./@+-]*?)[-_./@]{_VERSION}",
)
_COMMIT = r"[0-9a-f]{7,64}(-dirty)?"  # what git describe says where there is no tag
_DAY = rf"({_DATE})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"

_FINAL = {"final", "ga", "release", "stable", "lts"}
_EARLY = {"dev", "nightly"}
_LATER = {"post", "patch", "pl", "p", "sp", "rev", "r", "hotfix", "fix"}
_SAME = {"a": "alpha", "b": "beta", "c": "rc", "cr": "rc", "m": "milestone"}


# Where it comes among others, a number, a word: one for each part of a suffix, and one for its end.
Token = tuple[int, int, str]
_END: Token = (0, 0, "")

# Whether it is a version, its numbers, what follows them, what follows a +, the commits on top, and the text itself.
Key = tuple[int, tuple[int, ...], tuple[Token, ...], tuple[Token, ...], int, str]


@frozen
class Version:
    """A version in parts: of tulip/v1.2.0-rc1, "tulip", (1, 2, 0) and "-rc1"."""

    name: str  # what it is a version of; nothing for 1.2.0, v1.2.0 and release-1.2.0
    text: str  # without the name and the v
    numbers: tuple[int, ...]
    suffix: str
    on_top: int = (
        0  # commits after the tag, as git describe counts them; -1 where it says that there are none
    )

    @property
    def is_single(self) -> bool:
        """Return whether it is a bare number: v4 may be a version, or a tag that moves with its versions."""
        return len(self.numbers) == 1

    @property
    def is_calendar(self) -> bool:
        return 1900 <= self.numbers[0] < 2100


def parse(text: str) -> Version | None:
    """Return a version as tags are written, None for what is none."""
    described = re.search(ON_TOP, text)
    bare = text[: described.start()] if described else text
    if len(bare) > LONGEST or (re.fullmatch(_COMMIT, bare) and not re.match(_DAY, bare)):
        return None
    match = next(filter(None, (re.fullmatch(pattern, bare, re.ASCII) for pattern in _TAGS)), None)
    if match is None:
        return None
    name = re.sub(rf"(?i)(?:^|[-_./@]){_RELEASE}$", "", match.groupdict().get("name", ""))
    on_top = (int(described[1]) or -1) if described else 0
    whole = text[match.start("numbers") :]
    return Version(name, whole, _numbers(match["numbers"]), match["suffix"], on_top)


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a version; a day that is written as one number has three."""
    numbers = [int(part) for part in re.findall("[0-9]+", text)]
    day = re.fullmatch(rf"{_DAY}([0-9]{{2}})?([0-9]{{2}})?([0-9]{{2}})?", str(numbers[0]))
    if day:
        numbers[:1] = [int(part) for part in day.groups() if part]
    return tuple(numbers)


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, none for what is no version."""
    parsed = parse(version)
    return parsed.numbers if parsed else ()


def key(version: str) -> Key:
    """Return a sort key; what is no version at all sorts before everything else, 1.0 and 1.0.0 side by side."""
    parsed = parse(version)
    if parsed is None:
        return (0, (), (), (), 0, version)
    suffix, plus, build = parsed.suffix.partition("+")
    built = (*_later(_words(build)), _END) if plus else (_END,)
    short = parsed.numbers
    while short and short[-1] == 0:
        short = short[:-1]
    return (1, short, (*_after(parsed, suffix), _END), built, parsed.on_top, parsed.text)


def _words(text: str) -> list[str]:
    return re.findall("[0-9]+|[a-z]+", text.lower())


def _after(version: Version, suffix: str) -> list[Token]:
    """Return what follows the numbers, up to a +."""
    words = _words(suffix)
    if not words or (words[0] in _FINAL and len(words) == 1):
        return []
    return [_first(version, suffix, words), *_later(words[1:])]


def _first(version: Version, suffix: str, words: Sequence[str]) -> Token:
    """Return whether what follows the numbers comes before the release, or after it."""
    word = words[0]
    if word.isdigit():  # semver's 1.0.0-1 comes before 1.0.0; 1.0-1 and 2026-01-31-2 are a second one
        semver = suffix.startswith("-") and len(version.numbers) == 3 and not version.is_calendar
        return (-3 if semver else 1, int(word), "")
    letter = len(suffix) == 1  # 1.1.1w, 3.3a
    if word in _LATER or letter:
        return (3, 0, word if letter else "")
    if word in _EARLY:
        return (-4, 0, "")
    return (-2, 0, _SAME.get(word, word))


def _later(words: Iterable[str]) -> list[Token]:
    tokens: list[Token] = []
    for word in words:
        if word.isdigit():
            tokens.append((1, int(word[:1000]), ""))
        elif word in _EARLY:
            tokens.append((-4, 0, ""))
        else:
            tokens.append((3, 0, "") if word in _LATER else (2, 0, _SAME.get(word, word)))
    return tokens


def newest_first(versions: Iterable[str]) -> list[str]:
    """Return versions sorted, the newest first."""
    return sorted(versions, key=key, reverse=True)


def is_same(one: str, other: str) -> bool:
    """Return whether two tags are of one release: 1.2.0, v1.2.0 and release-1.2.0 are."""
    parts = [(v.name, v.text) if (v := parse(text)) else ("", text) for text in (one, other)]
    return parts[0] == parts[1]


def plain(version: str) -> str:
    """Return a version without what may stand before its number and names nothing."""
    parsed = parse(version)
    return parsed.text if parsed and not parsed.name else version


def find(asked: str, known: Sequence[str]) -> list[str]:
    """Return which of some tags is meant: as written, else the same release, else the number without a name.

    Of dates a zero in front does not count: 2024.1 means 2024.01.
    """
    if asked in known:
        return [asked]
    same = [tag for tag in known if is_same(tag, asked)]
    if same:
        return same[:1]
    wanted, day = plain(asked), parse(asked)
    parts = [(tag, parsed) for tag in known if (parsed := parse(tag))]
    found = [tag for tag, parsed in parts if parsed.text == wanted]
    if found or day is None or not day.is_calendar:
        return found
    of_day = (day.name, day.numbers, day.suffix, day.on_top)
    return [tag for tag, one in parts if (one.name, one.numbers, one.suffix, one.on_top) == of_day]


def of_one(tags: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the tags that are versions of one thing, the newest first and each release once.

    Those without a name are, and those with one of `names`; where there are none, those of the only name that there is.
    """
    parsed = {tag: version for tag in tags if (version := parse(tag)) and not version.on_top}
    own = [tag for tag, version in parsed.items() if _is_own(version.name, names)]
    if not own and len({version.name for version in parsed.values()}) == 1:
        own = [*parsed]
    dotted = [tag for tag in own if not parsed[tag].is_single]
    found: dict[str, str] = {}
    for tag in newest_first(dotted or own):
        found.setdefault(parsed[tag].text, tag)
    return [*found.values()]


def _is_own(name: str, names: Iterable[str]) -> bool:
    last = re.split("[/@]", name.lower())[-1]
    return not name or any(last == own.lower() for own in names if own)
