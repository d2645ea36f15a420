"""The values of an environment, as far as its audit log tells them: a secret is there as its digest."""

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
)
from rigger.audit.secrets import HIDDEN, is_hidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ValueHistory:
    """What the vars said, and for what they did not say, what a step had: a default.

    A value that somebody set is HIDDEN until a run has it, or, where an older rigger recorded that, a step.
    """

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._seen: dict[str, str] = {}  # by steps
        self._given: dict[str, None] = {}  # names of what steps gave
        self._times: dict[
            str, int
        ] = {}  # how often what is there as its digest changed; another key changes nothing

    @property
    def said(self) -> Mapping[str, str]:
        """What the vars said."""
        return self._said

    @property
    def all(self) -> dict[str, str]:
        return {**self._seen, **self._said}

    def get(self, name: str) -> str | None:
        """Return a value; None where nothing is recorded of it."""
        return self._said.get(name, self._seen.get(name))

    def is_same(self, name: str, other: ValueHistory) -> bool:
        """Return whether a value is what it is at another moment of the same environment."""
        old, new = self.get(name), other.get(name)
        if not (is_hidden(old) and is_hidden(new)):
            return old == new
        return old == new or self._times.get(name) == other._times.get(name)

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case Configured():
                self._change((), dict.fromkeys(event.changed, HIDDEN))
            case RunStarted():
                self._change(event.gone, event.values)
            case StepStarted():
                self._see(event)
            case StepFinished() | StepRecovered():
                self._given.update(dict.fromkeys(event.values))
                self._change((), event.values)
            case UpgradeFinished() | UpgradeRolledBack():
                self._change(("VERSION", "REF"), event.values or {"VERSION": event.to})
            case Loaded():  # the same secrets, or other ones, by the key that this machine has
                for values in (self._said, self._seen):
                    known = {n for n, value in values.items() if is_hidden(value)}
                    values.update((n, digest) for n, digest in event.digests.items() if n in known)
            case Destroyed():
                self._change([*self._given], {})
                self._given = {}

    def _change(self, names: Sequence[str], values: Mapping[str, str]) -> None:
        """Take values in, and of these names those that have none any more out."""
        for name in names:
            if name not in values:
                self._said.pop(name, None)
                self._seen.pop(name, None)
        self._count(values)
        self._said.update(values)

    def _see(self, event: StepStarted) -> None:
        """Take in what a step had; an upgrade's has a version that the vars say once the cluster runs it."""
        seen = {n: v for n, v in event.parameters.items() if n != "VERSION" or event.command != "upgrade"}
        for name in [name for name, value in self._said.items() if value == HIDDEN and name in seen]:
            del self._said[name]
        self._count({n: v for n, v in seen.items() if n not in self._said})
        self._seen.update(seen)

    def _count(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            if is_hidden(value) and self.get(name) != value:
                self._times[name] = self._times.get(name, 0) + 1
