"""What a value was over time: who set it, and which run brought it into the cluster; from the audit log alone."""

from __future__ import annotations

from rigger.audit.events import (
    Configured,
    Destroyed,
    Event,
    Loaded,
    RunStarted,
    StepFinished,
    StepRecovered,
    StepStarted,
    UpgradeFinished,
    UpgradeRolledBack,
    parse,
)
from rigger.audit.secrets import is_hidden
from rigger.audit.values import ValueHistory
from rigger.errors import BadUsage
from rigger.text import did_you_mean, ways
from rigger.values import frozen, mutable, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.environments.environment import Environment


@frozen
class Cause:
    """A run, or a command that is none: then its number is 0."""

    command: str = ""
    number: int = 0
    run: str = ""
    time: str = ""  # when that was
    by: str = ""
    actor: str = ""  # for whom, where that was somebody else
    reason: str = ""

    @property
    def who(self) -> str:
        return f"{self.actor} (by {self.by})" if self.actor else self.by


@frozen
class ValueChange:
    """A value that came to be another one; a secret, and what no question asked for, is never shown."""

    before: str | None  # None: it was not set, or it is not shown
    after: str | None
    hidden: bool  # whether the values are not shown
    gone: bool  # whether it is not set any more
    how: str  # what changed it, in words
    cause: Cause
    applied: Cause | None = None  # the first run whose steps had it, where that is another

    def as_dict(self) -> dict[str, Any]:
        own = {"from": self.before, "to": self.after, "hidden": self.hidden, "gone": self.gone}
        applied = vars(self.applied) if self.applied else None
        return {**own, "how": self.how, **vars(self.cause), "applied": applied}


@frozen
class ValueChanges:
    """All changes of one value, the oldest first."""

    environment: str
    name: str
    changes: tuple[ValueChange, ...]

    def as_dict(self) -> dict[str, Any]:
        changes = [change.as_dict() for change in self.changes]
        return {"environment": self.environment, "name": self.name, "changes": changes}


def value_history(environment: Environment, name: str) -> ValueChanges:
    """Return the changes of a value; raises BadUsage where nobody ever set one of that name."""
    walk = _Walk(name)
    for record in environment.audit.records():
        walk.take(parse(record))
    if not walk.changes:
        raise BadUsage(
            f"Nothing is recorded of {name} in {environment.name}{did_you_mean(name, walk.names)}.",
            ways(("The values that there are", "rigger config get")),
        )
    return ValueChanges(environment.name, name, tuple(walk.changes))


class _Walk:
    """What happened to one value, event by event."""

    def __init__(self, name: str) -> None:
        self.names: set[str] = set()
        self._name = name
        self._values = ValueHistory()
        self._runs: dict[str, Cause] = {}
        self._found: list[_Found] = []

    @property
    def changes(self) -> list[ValueChange]:
        return [one.change() for one in self._found]

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        before = self._values.get(self._name)
        self._values.take(event)
        after = self._values.get(self._name)
        self.names.update(self._values.said)
        match event:
            case RunStarted():
                known = (event.command, len(self._runs) + 1, event.run, event.time, event.by)
                self._runs[event.run] = Cause(*known, event.actor, event.reason)
            case StepStarted():
                self.names.update(event.parameters)
        if isinstance(event, Configured) and self._name in event.changed:
            self._set(event, before)
        elif before != after and not isinstance(event, Loaded):
            self._change(event, before, after)

    def _set(self, event: Configured, before: str | None) -> None:
        """Note that somebody set the value; of several times the last one counts that a run comes after."""
        if self._found and self._found[-1].waits_for(""):
            before = self._found.pop().before
        self._found.append(
            _Found("set", Cause(event.by, time=event.time, by=event.who, actor=event.actor), before)
        )

    def _change(self, event: Event, before: str | None, after: str | None) -> None:
        run, last = self._runs.get(event.run, Cause()), self._found[-1] if self._found else None
        if last and last.waits_for(run.run):
            last.take(after, run)
        else:
            self._found.append(_Found(_how(event), replace(run, time=event.time), before, after, waits=False))


@mutable
class _Found:
    """A change as the log has it; one that `waits` was set, and no run has had it yet, or its default no step."""

    how: str
    cause: Cause
    before: str | None
    after: str | None = None
    waits: bool = True
    applied: Cause | None = None

    def waits_for(self, run: str) -> bool:
        """Return whether what comes next, of that run or of none, completes it."""
        return self.waits and (self.applied is None or self.applied.run == run)

    def take(self, after: str | None, run: Cause) -> None:
        """Take in which value a run had; a value that was unset may have a default, which the steps have."""
        self.how = "unset" if after is None else self.how
        self.after, self.waits, self.applied = after, after is None, run

    def change(self) -> ValueChange:
        hidden = is_hidden(self.before) or is_hidden(self.after) or (self.waits and not self.applied)
        before, after = (None, None) if hidden else (self.before, self.after)
        gone = self.after is None and not hidden
        return ValueChange(before, after, hidden, gone, self.how, self.cause, self.applied)


def _how(event: Event) -> str:
    match event:
        case RunStarted():
            return "in the vars file"  # somebody wrote it there, or rigger worked it out
        case StepStarted():
            return f"default, for {_step(event)}"
        case StepFinished() | StepRecovered():
            return f"given by {_step(event)}"
        case UpgradeFinished() | UpgradeRolledBack():
            return "upgraded" if isinstance(event, UpgradeFinished) else "rolled back"
        case Destroyed():
            return "taken back by destroy"
    return event.name


def _step(event: StepStarted | StepFinished | StepRecovered) -> str:
    return f"{event.module.partition('/')[2]} {event.step}"
