"""A moment of an environment's past, as a person names it, and what its record says until then."""

from __future__ import annotations

import re
import time

from rigger.audit.runs import RUNNING, exact
from rigger.audit.state import ClusterState
from rigger.errors import BadUsage
from rigger.operations.history import history, named
from rigger.text import ways
from rigger.values import field, frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rigger.audit.events import Record
    from rigger.environments.environment import Environment
    from rigger.operations.history import PastRun

TIME = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")  # as it begins; all else names a run
FORMS = "Times look like 2026-11-20, 2026-11-20T21:44 or 2026-11-20T21:44:00Z; without a zone they are local."


@frozen
class Moment:
    """The records until a moment, and what is known of that moment: a time, or the end of a run."""

    said: str  # the word that named it
    time: str  # of its last record, UTC
    run: str  # that ended then, where a run was named
    number: int  # of that run; 0 where none was named
    records: Sequence[Record] = field(repr=False)
    running: bool = False  # whether the run that began last was under way then

    @property
    def state(self) -> ClusterState:
        """What the records until then come to."""
        return ClusterState.of(self.records)

    def outcome(self, state: ClusterState) -> str:
        """Return how the last run of that state had ended then; "" where nothing had been run."""
        last = state.runs.last
        if last is None:
            return ""
        return RUNNING if self.running and not last.end else last.outcome(None)

    def as_dict(self) -> dict[str, Any]:
        return {"time": self.time, "record": len(self.records), "run": self.run, "number": self.number}

    def __str__(self) -> str:
        return f"run {self.number}" if self.number else self.said


def moment(environment: Environment, word: str) -> Moment:
    """Return the moment that a word names: a time, or a run, whose end is meant.

    Raises BadUsage for a word that names none, for a time before the environment was made, and for one to come.
    """
    records = environment.audit.records()
    if not TIME.fullmatch(word):
        return _end_of_run(environment, word)
    at = _milliseconds(word)
    if at > time.time() * 1000:
        raise BadUsage(f"{word} is still to come.", FORMS)
    until = max(
        (n for n, record in enumerate(records, 1) if round(exact(record["time"]) * 1000) <= at), default=0
    )
    if not until:
        first = f": its record begins {records[0]['time']}" if records else ": it has no record"
        raise BadUsage(
            f"{word} is before {environment.name} was made{first}.", ways(("Its runs", "rigger history"))
        )
    return _until(records, until, word)


def now(environment: Environment) -> Moment:
    """Return the moment of the last record."""
    records = environment.audit.records()
    return _until(records, len(records), "now")


def end_of(environment: Environment, run: PastRun) -> Moment:
    """Return the moment when a run had ended."""
    records = environment.audit.records()
    until = max(n for n, record in enumerate(records, 1) if record["run"] == run.run)
    return _until(records, until, run.run, run.run, run.number)


def _end_of_run(environment: Environment, word: str) -> Moment:
    runs = history(environment).runs
    if not runs:
        raise BadUsage(f"{environment.name} has not run anything yet.", f"Name a time. {FORMS}")
    try:
        run = named(runs, word)
    except BadUsage as problem:
        raise BadUsage(f"{problem.message} {FORMS}", problem.next_step) from None
    return replace(end_of(environment, run), said=word)


def _until(records: Sequence[Record], until: int, word: str, run: str = "", number: int = 0) -> Moment:
    """Return the moment after that many records; a run was under way then that has records after it."""
    begun = next((one["run"] for one in reversed(records[:until]) if one["event"] == "run-started"), "")
    goes_on = bool(begun) and any(record["run"] == begun for record in records[until:])
    moment = records[until - 1]["time"] if until else ""
    return Moment(word, moment, run, number, records[:until], goes_on)


def _milliseconds(word: str) -> int:
    """Return a time in milliseconds since 1970, which records have; a date alone is its beginning, a time without a zone is local."""
    from datetime import datetime  # slow to import

    try:
        found = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", word.strip()))
    except ValueError:
        raise BadUsage(f"{word!r} is no time.", FORMS) from None
    return round(found.timestamp() * 1000)
