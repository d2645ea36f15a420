"""What the figures of one rehearsal mean: go, no-go or inconclusive, and why in a sentence."""

from __future__ import annotations

from rigger.plans.judge import faults
from rigger.rehearsals.model import GO, INCONCLUSIVE, NO_GO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.modules.model import Judge

    Figures = Mapping[str, str]

# Of the applications: what must be 0, and how it is said of so many writes.
WRONG = {
    "lost": "acknowledged writes were lost",
    "duplicated": "writes were duplicated",
    "altered": "writes were altered",
    "out_of_order": "writes are out of order",
    "unexpected": "records are there that nobody wrote",
}


def of_writes(figures: Figures) -> str:
    """Return what became of the applications' writes where that is bad; nothing where it is not."""
    found = [f"{figures[name]} {words}" for name, words in WRONG.items() if figures.get(name, "0") != "0"]
    return ", ".join(found)


def of_data(before: Figures, after: Figures) -> str:
    """Return how the data differ from those of the backup; nothing where they do not."""
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not changed:
        return ""
    said = ", ".join(
        f"{name} {before.get(name, 'none')} became {after.get(name, 'none')}" for name in changed
    )
    return f"the data are not those of the backup any more: {said}"


def judged(
    *,
    problem: str,
    figures: Figures,
    data: Figures,
    data_after: Figures,
    before: Figures,
    after: Figures,
    judge: Judge | None,
) -> tuple[str, str]:
    """Return the verdict of one rehearsal and its reason; `problem` is why it did not end as it should.

    What became of writes and data counts most, then health, then what the platform's own judge says of the figures
    under load.
    """
    bad = [of_writes(figures), of_data(data, data_after) if data_after or not problem else "", problem]
    if not problem and judge is not None and before and after:
        bad += faults(judge, {**figures, **after}, {**figures, **before})
    found = [sentence for sentence in bad if sentence]
    if found:
        return NO_GO, "; ".join(found)
    if not int(figures.get("acknowledged", "0") or 0):
        return INCONCLUSIVE, "nothing was written meanwhile, so that nobody knows what would have been lost"
    return GO, (
        f"0 of {figures['acknowledged']} acknowledged writes lost, longest gap "
        f"{float(figures.get('longest_gap_seconds', 0)):.1f} s"
    )
