"""What became of a request: the runs that carried it out, and how it ended."""

from __future__ import annotations

from rigger.audit.events import (
    Destroyed,
    ModuleRemoved,
    RequestFinished,
    Restored,
    Resumed,
    RunFinished,
    RunStarted,
    Suspended,
    UpgradeFinished,
    UpgradeRolledBack,
    parse,
)
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rigger.audit.events import Record

# What is recorded once the run of some commands has ended well: without it, they have not ended.
COMPLETIONS = {
    "destroy": (Destroyed,),
    "upgrade": (UpgradeFinished, UpgradeRolledBack),
    "suspend": (Suspended,),
    "resume": (Resumed,),
    "restore": (Restored,),
    "module remove": (ModuleRemoved,),
}


@frozen
class Requested:
    """A request that was begun."""

    since: int  # the record that it began with
    started: RunStarted  # its last run; there are several where rigger was killed
    outcome: str = ""  # of that run; nothing where it has no end
    complete: bool = False  # whether what its command records after that run is there
    end: RequestFinished | None = None

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do for it."""
        return bool(self.end or self.complete or self.outcome not in ("", "done"))


def requested(records: Iterable[Record], request: str) -> Requested | None:
    """Return what the records of a log tell of a request, None where it was never begun."""
    started: RunStarted | None = None
    since, outcome, complete, end = 0, "", False, None
    for record in records:
        event = parse(record)
        if isinstance(event, RunStarted) and event.request == request:
            since = since or event.seq
            started, outcome, complete = event, "", False
        elif isinstance(event, RequestFinished) and event.request == request:
            end = event
        elif started and event.run == started.run:
            more = COMPLETIONS.get(" ".join(started.command.split()[:2]), (RunFinished,))
            outcome = event.outcome if isinstance(event, RunFinished) else outcome
            complete = complete or isinstance(event, more)
    return Requested(since, started, outcome, complete, end) if started else None
