"""On which nodes a claim was left: what says there how far this record had got."""

from __future__ import annotations

from rigger.audit.events import ClaimLeft, Destroyed, Event, Suspended


class ClaimHistory:
    """The nodes, `name address`, that must hold a claim of this record, or of one that went on from it."""

    def __init__(self) -> None:
        self.nodes: frozenset[str] = frozenset()

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case ClaimLeft():
                self.nodes = frozenset(event.nodes)
            case Destroyed() | Suspended():
                self.nodes = frozenset()
