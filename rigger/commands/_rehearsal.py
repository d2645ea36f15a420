"""What a person is told of a rehearsal."""

from __future__ import annotations

from rigger.text import duration, short_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.operations.rehearse import RehearsalResult
    from rigger.ui.printer import Printer


def show(printer: Printer, result: RehearsalResult) -> None:
    """Show the verdict, a row for each rehearsal, and where all of it is."""
    found = result.verdict
    printer.line()
    rows = [
        [one.title, one.verdict, *_figures(one.figures), duration(one.seconds)] for one in found.rehearsals
    ]
    printer.table(rows, ["rehearsed", "verdict", "writes", "lost", "twice", "longest gap", "took"])
    printer.line(f"Verdict: {found.verdict}: {found.reason}.")
    printer.lines("All of it, with a picture of each:", f"  {short_home(result.page)}")


def _figures(figures: Mapping[str, str]) -> list[str]:
    gap = figures.get("longest_gap_seconds", "")
    shown = [figures.get(name, "-") for name in ("acknowledged", "lost", "duplicated")]
    return [*shown, f"{float(gap):.1f} s" if gap else "-"]
