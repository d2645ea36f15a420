"""What may be left over of a cluster, as the audit log tells it."""

from __future__ import annotations

from rigger.audit.cluster import LOOKS
from rigger.audit.events import (
    Destroyed,
    Event,
    LeftBehind,
    SaidGone,
    StepFinished,
    StepRecovered,
    StepStarted,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class LeftoverHistory:
    """What steps named as left over, until a destroy finds it gone or somebody says that it is."""

    def __init__(self) -> None:
        self.nothing_left = False  # whether somebody said so, and nothing was made since
        self.gone: dict[str, None] = {}  # what somebody said is gone, since the cluster was last destroyed
        self._runs: dict[str, str] = {}  # by item: the run that named it last

    @property
    def items(self) -> list[str]:
        """Return what may be left over, in the order in which it was first named."""
        return [*self._runs]

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case StepFinished():
                self._name(event.leftovers, event.run)
                self._look(event)
            case StepRecovered():
                self._name(event.leftovers, event.run)
            case LeftBehind():
                self._name(event.items, event.run)
            case SaidGone():
                self._runs = {item: run for item, run in self._runs.items() if item not in event.items}
                self.gone |= dict.fromkeys(event.items)
                self.nothing_left = event.all
            case StepStarted() if event.step not in LOOKS:
                self.nothing_left = False
            case Destroyed():
                self._runs, self.gone, self.nothing_left = {}, {}, False

    def _name(self, items: Sequence[str], run: str) -> None:
        for item in items:
            self._runs[item] = run
            self.gone.pop(item, None)

    def _look(self, event: StepFinished) -> None:
        """Believe a destroy that ended well: what it does not name is not there."""
        removes = event.step == "destroy" and event.module.startswith("provider/")
        if removes and event.exit_code == 0 and not event.interrupted:
            self._runs = {item: run for item, run in self._runs.items() if run == event.run}
