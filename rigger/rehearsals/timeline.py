"""A rehearsal as a picture: its commands, the steps of them and what went wrong, along a line of seconds. Inline SVG."""

from __future__ import annotations

import html

from rigger.text import duration
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rigger.rehearsals.model import Mark, Rehearsed

WIDTH, LEFT, ROW, TOP = 920, 150, 22, 26  # units; ROW is the height of a line
LANES = {"command": "typed", "step": "steps", "fault": "goes wrong"}
COLOURS = {"command": "#3b5b92", "step": "#2e7d32", "fault": "#b35c00"}
BAD = "#b3261e"
LETTER = 6.6  # units that a letter takes


def picture(done: Rehearsed) -> str:
    """Return the picture of one rehearsal; nothing where nothing of it was seen."""
    if not done.marks:
        return ""
    whole = max(done.seconds, max(mark.end for mark in done.marks), 0.1)
    scale = (WIDTH - LEFT - 20) / whole
    parts, y = [], TOP
    for kind, name in LANES.items():
        marks = [mark for mark in done.marks if mark.kind == kind]
        if not marks:
            continue
        parts.append(_text(8, y + 15, name, "lane"))
        rows = _rows(marks, scale)
        for number, row in enumerate(rows):
            parts += [_drawn(mark, y + number * ROW, scale) for mark in row]
        y += len(rows) * ROW + 8
    height = y + 6
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="{html.escape(done.title, quote=True)}" xmlns="http://www.w3.org/2000/svg" '
        'font-family="sans-serif" font-size="12">'
        f"{''.join(_axis(whole, scale, height))}{''.join(parts)}</svg>"
    )


@frozen
class Bar:
    """Where a mark is drawn: its bar, and its words in it, behind it or before it."""

    x: float
    width: float
    words: float  # where they begin, or end
    inside: bool = False
    before: bool = False
    room: float = 0.0  # that the words take

    @property
    def start(self) -> float:
        return self.words - self.room if self.before else self.x

    @property
    def end(self) -> float:
        return self.x + self.width if self.inside or self.before else self.words + self.room


def _bar(mark: Mark, scale: float) -> Bar:
    x, width = LEFT + mark.start * scale, max(4.0, (mark.end - mark.start) * scale)
    room = len(mark.text) * LETTER + 8
    if room < width:
        return Bar(x, width, x + 6, inside=True, room=room)
    if x + width + room < WIDTH:
        return Bar(x, width, x + width + 4, room=room)
    return Bar(x, width, x - 4, before=True, room=room)


def _rows(marks: Sequence[Mark], scale: float) -> list[list[Mark]]:
    """Return the marks of a lane in as few rows as their bars and words need, so that none covers another."""
    rows: list[list[Mark]] = []
    free: list[float] = []  # where each row is free again
    for mark in marks:
        bar = _bar(mark, scale)
        row = next((number for number, at in enumerate(free) if at <= bar.start), len(rows))
        if row == len(rows):
            rows.append([])
            free.append(0.0)
        rows[row].append(mark)
        free[row] = bar.end
    return rows


def _drawn(mark: Mark, y: int, scale: float) -> str:
    bar = _bar(mark, scale)
    good = mark.good or mark.kind == "fault"
    took = f"{mark.text}, {duration(mark.end - mark.start)}{'' if good else ', not good'}"
    words = _text(bar.words, y + 14, mark.text, "bar" if bar.inside else "word", "end" if bar.before else "")
    return (
        f'<g><title>{html.escape(took)}</title><rect x="{bar.x:.1f}" y="{y + 2}" width="{bar.width:.1f}" height="16" rx="3" '
        f'fill="{COLOURS[mark.kind] if good else BAD}"/>{words}</g>'
    )


def _axis(whole: float, scale: float, height: int) -> Iterable[str]:
    step = next((one for one in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800) if whole / one <= 12), 3600)
    second = 0
    while second <= whole:
        x = LEFT + second * scale
        yield f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height}" stroke="#cccccc" stroke-width="1"/>'
        yield _text(x, TOP - 10, f"{second} s", "axis", "middle")
        second += step


FILLS = {"lane": "#555555", "axis": "#777777", "bar": "#ffffff", "word": "#222222"}


def _text(x: float, y: float, words: str, kind: str, anchor: str = "") -> str:
    """Return words as SVG has them; `anchor` says which part of them is at `x`: middle or end, else their beginning."""
    at = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y}" fill="{FILLS[kind]}"{at}>{html.escape(words)}</text>'
