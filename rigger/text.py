"""Text for people: bytes as text, control characters, columns of a terminal, durations, lists in a sentence."""

from __future__ import annotations

import os
import re
from itertools import zip_longest

from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHOWN = 5  # names in a sentence


def listed(names: Sequence[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


# Four ways to show a text, none of which can drive a terminal: `printable` keeps its length, `plain` drops control
# characters, `visible` shows them as escapes, as values need, and `sentence` makes one line of what people wrote.


def printable(text: str) -> str:
    """Return a text with ? for every character that cannot be shown."""
    return "".join(char if char.isprintable() else "?" for char in text)


def decode(data: bytes) -> str:
    """The text of any bytes; `encode` gives the same bytes back."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes of a text from `decode`; raises UnicodeEncodeError if a surrogate stands for no byte."""
    return text.encode("utf-8", "surrogateescape")


# Patterns are compiled where they are used: few commands meet such a text.
# ECMA-48: CSI sequences, strings such as the window's title (OSC, DCS, ...), and two-byte escapes.
_ESCAPE = r"(?s:\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?)"
# What drives a terminal by itself, and what turns the order of letters round, so that a text reads as another one.
_CONTROL = "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"


def plain(text: str) -> str:
    """Return a text without control characters and escape sequences, so that it cannot drive a terminal."""
    return text if text.isprintable() else re.sub(_CONTROL, "", re.sub(_ESCAPE, "", text))


def duration(seconds: float) -> str:
    """Return a duration as people read it: 0.3 s, 12 s, 3m 12s, 1h 02m."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02d}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def size(count: int) -> str:
    """Return a number of bytes for a person, such as 67 KiB or 1.2 GiB."""
    if count < 1 << 20:
        return f"{count / 1024:.0f} KiB"
    return f"{count / (1 << 20):.1f} MiB" if count < 1 << 30 else f"{count / (1 << 30):.1f} GiB"


def seconds_of(text: str) -> float | None:
    """Return the seconds of a duration as people write it, 90s, 10m or 1h; None for what is none."""
    found = re.fullmatch("([0-9]{1,9})([smh])", text)
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else None


def in_words(seconds: float) -> str:
    """A duration for a sentence: "0.5 s", "45 s", "10 min", "1 h 5 min"."""
    if seconds < 60:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def did_you_mean(word: str, known: Iterable[str], nearness: float = 0.6) -> str:
    """Return a hint at the nearest known word, whatever its case, or nothing; `nearness` goes from 0 to 1, the same."""
    import difflib

    by_lower: dict[str, str] = {}
    for each in known:
        by_lower.setdefault(each.lower(), each)
    near = difflib.get_close_matches(word.lower(), list(by_lower), n=1, cutoff=nearness)
    return f" (did you mean {by_lower[near[0]]}?)" if near else ""


def ways(*pairs: tuple[str, str]) -> str:
    """Return sentences, each with the command that does what it says alone on the next line, to be copied."""
    return "\n".join(f"{sentence}:\n  {command}" for sentence, command in pairs)


# Commands that are not about an environment, or that name theirs.
_ELSEWHERE = "bundle|completion|configure|deploy|docs|forget|help|image|list|module|platform|provider|release|repository|use"


def addressed(text: str, environment: str) -> str:
    """Return a text whose commands of rigger name the environment that they are about."""
    return re.sub(
        rf"""(^ *|[ "`])rigger (?=[a-z])(?!(?:{_ELSEWHERE})\b)""",
        lambda match: f"{match[1]}rigger -e {environment} ",
        text,
        flags=re.M,
    )


def folded(text: str, width: int) -> str:
    """Return a text in lines of at most that many columns, broken at blanks; commands stay in one piece."""
    return "\n".join(piece for line in text.split("\n") for piece in _fold(line, width))


def _fold(line: str, width: int) -> list[str]:
    bare = line.lstrip(" ")
    if cell_width(line) <= width or bare.startswith("rigger "):
        return [line]
    indent = " " * (len(line) - len(bare))
    lines = [indent]
    for word in re.findall(r'\S*"rigger [^"]*"\S*|\S+', line):
        if lines[-1].strip() and cell_width(lines[-1]) + 1 + cell_width(word) > width:
            lines.append(f"{indent}  ")
        lines[-1] += f" {word}" if lines[-1].strip() else word
    return lines


def short_home(path: str) -> str:
    """Return a path as people read it: what is in their home begins with ~/."""
    home = os.path.expanduser("~")
    return "~" + path[len(home) :] if path.startswith(home + os.sep) else path


def last_line(*texts: str) -> str:
    """Return the last line that says something, of the first text that has one."""
    for text in texts:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if lines:
            return lines[-1]
    return ""


WIDEST_VALUE = 32  # columns that a value gets in a list before it is shortened
LEAST_VALUE, LEAST_QUIET = 8, 18  # columns that a value and what is said beside it keep on narrow terminals


def sentence(text: str) -> str:
    """Return words from a manifest as one line that cannot drive the terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in re.sub(_ESCAPE, "", text)).split())


def visible(value: str) -> str:
    """Return a value with escapes for what is not printable, so that it is seen and does nothing."""
    return value if value.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in value)


def _escaped(char: str) -> str:
    if 0xDC80 <= ord(char) <= 0xDCFF:  # a byte that is no UTF-8, as surrogateescape carries it
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def table_rows(table: Sequence[Sequence[str]], widths: Sequence[int] | None = None) -> list[str]:
    """Return rows as lines in columns, each of its width, or as wide as its widest cell."""
    widths = widths or widths_of(table)
    return ["  ".join(map(_padded, row, widths)).rstrip() for row in table]


def narrowed(widths: Sequence[int], room: int) -> list[int]:
    """Return the widths of columns that fit into `room`: the last one gives way first, then the widest."""
    fitted = list(widths)
    over = sum(fitted) + 2 * (len(fitted) - 1) - room
    widest_first = sorted(range(len(fitted) - 1), key=lambda column: -fitted[column])
    for column in [len(fitted) - 1, *widest_first]:
        taken = max(0, min(over, fitted[column] - LEAST_VALUE))
        fitted[column] -= taken
        over -= taken
    return fitted


def widths_of(table: Sequence[Sequence[str]]) -> list[int]:
    """Return how wide the columns of a table are; a cell that a row lacks takes no room."""
    return [max(map(cell_width, column)) for column in zip_longest(*table, fillvalue="")]


@frozen
class Row:
    """One line of a list: the value it stands for and its cells; the last one is said in a lower voice."""

    value: str
    cells: tuple[str, ...]


def aligned(rows: Sequence[Row], width: int) -> list[tuple[str, str]]:
    """Return the plain and the quiet part of every row, in columns, no wider than `width` together."""
    table = [[visible(cell) for cell in row.cells] for row in rows]
    widths = _column_widths(table, width)
    lines = []
    for *firsts, last in table:
        if not firsts:
            lines.append((shorten(last, width), ""))
            continue
        plain = "   ".join(map(_padded, firsts, widths))
        if not last or cell_width(plain) > width:
            plain = shorten(plain.rstrip(), width)
        quiet = shorten("   " + last, max(0, width - cell_width(plain))) if last else ""
        lines.append((plain, quiet))
    return lines


def _column_widths(table: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the widths of all columns but the last; where the room is short, the last of them gives way."""
    widths = [min(WIDEST_VALUE, width) for width in widths_of([row[:-1] for row in table])]
    if widths:
        quiet = max(cell_width(row[-1]) for row in table if len(row) > 1)
        room = width - sum(widths[:-1]) - 3 * len(widths) - min(quiet, LEAST_QUIET)
        widths[-1] = min(widths[-1], max(room, LEAST_VALUE))
    return widths


def _padded(text: str, width: int) -> str:
    text = shorten(text, width)
    return text + " " * (width - cell_width(text))


def cell_width(text: str) -> int:
    """Return how many columns a text takes on the terminal."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth, wcwidth  # slow to import, seldom needed

    width = wcswidth(text)
    return width if width >= 0 else sum(max(0, wcwidth(char)) for char in text)


def shorten(text: str, width: int) -> str:
    """Return a text that takes at most `width` columns; an ellipsis stands for what was cut off."""
    if cell_width(text) <= width:
        return text
    while text and cell_width(text) > width - 1:
        text = text[: max(0, min(len(text) - 1, width - 1))]
    return text.rstrip() + "…" if width > 0 else ""
