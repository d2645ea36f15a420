"""The nodes, as far as the audit log tells them."""

from __future__ import annotations

from rigger.audit.events import Destroyed, Event, StepFinished, StepRecovered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.audit.events import Rows


class NodeHistory:
    """The nodes that there are: name and address. A log of an older rigger tells none."""

    def __init__(self) -> None:
        self.nodes: Rows = ()

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case StepFinished() | StepRecovered() if event.nodes is not None:
                self.nodes = event.nodes
            case Destroyed():
                self.nodes = ()
