"""Where a claim was left, on which nodes and in a provider's tags: what says there how far this record had got."""

from __future__ import annotations

from rigger.audit.events import ClaimLeft, Destroyed, Event, StepStarted, Suspended

TAGS = "tags"  # stands beside the nodes for what a provider keeps in its own tags


class ClaimHistory:
    """The nodes, `name address`, that must hold a claim of this record, or of one that went on from it; and `tags`."""

    def __init__(self) -> None:
        self.nodes: frozenset[str] = frozenset()

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case ClaimLeft():
                self.nodes = frozenset(event.nodes)
            case Destroyed() | Suspended():
                self.nodes = frozenset()
            case StepStarted() if _is_of_provider(event, "destroy"):  # it may be killed half-way
                self.nodes = frozenset()
            case StepStarted() if _is_of_provider(event, "create"):  # it may make anew what has the tags
                self.nodes -= {TAGS}


def _is_of_provider(event: StepStarted, verb: str) -> bool:
    return event.module.startswith("provider/") and event.step == verb
