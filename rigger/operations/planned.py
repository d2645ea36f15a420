"""A plan in place of what a command would do."""

from __future__ import annotations

from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rigger.modules.prices import Costs
    from rigger.operations.result import Result
    from rigger.plans.model import Plan


@frozen
class Planned:
    """What a command would do; nothing of it was done."""

    plan: Plan
    costs: Costs | None = None  # of the cluster in a month
    digest: str = ""  # of all that it was made of: who approves that gets this plan, or nothing
    running: str = ""  # who works there now, if anybody does: then it is of what will not be there any more
    differs: bool = (
        True  # whether anything would change, by what the modules' own plans say where they were asked
    )

    def as_dict(self) -> dict[str, Any]:
        costs = {"costs": self.costs.as_dict()} if self.costs else {}
        return {**self.plan.as_dict(), **costs, "digest": self.digest, "running": self.running}


class OnlyPlanned(Exception):
    """Ends an operation whose call only plans, where it would begin: no line behind that can run by mistake."""

    def __init__(self, result: Result):
        super().__init__()
        self.result = result


def planned(work: Callable[[], Result]) -> Result:
    """Return what an operation would do whose environment's call only plans."""
    try:
        return work()
    except OnlyPlanned as stop:
        return stop.result
