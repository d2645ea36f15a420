"""Whether a cluster is suspended, as the audit log tells it."""

from __future__ import annotations

from rigger.audit.events import (
    Destroyed,
    Event,
    Resumed,
    StepStarted,
    Suspended,
    SuspendStarted,
)
from rigger.errors import InvalidConfig
from rigger.values import frozen

EMPTIES = ("undeploy", "suspend")  # steps that take the platform, or its machines, away


@frozen
class Suspension:
    """A suspend that has begun to take things away, or ended, and was not resumed."""

    done: bool
    saved: str  # the path of its backup, in the environment; empty where none was made
    emptied: bool  # whether it has begun to take things away: before, all is where it was

    @property
    def backup(self) -> str:
        """Return the path, in the environment, of the only place where the data is; nothing where it lies elsewhere."""
        return self.saved if self.emptied else ""


class SuspensionHistory:
    """The suspend that the cluster is in."""

    def __init__(self) -> None:
        self._begun: SuspendStarted | Suspended | None = None
        self._emptied = False

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case SuspendStarted() | Suspended():
                self._begun = event
            case Resumed() | Destroyed():
                self._begun, self._emptied = None, False
            case StepStarted(
                command="destroy", step="destroy"
            ):  # no resume brings back what is being removed
                self._begun, self._emptied = None, False
            case StepStarted() if event.step in EMPTIES:
                self._emptied = self._begun is not None

    @property
    def suspension(self) -> Suspension | None:
        done = isinstance(self._begun, Suspended)
        if self._begun is None or not (done or self._emptied):  # one that took nothing away is over
            return None
        return Suspension(done, self._begun.backup, self._emptied)


def require_not_suspended(name: str, suspension: Suspension | None) -> None:
    """Raise InvalidConfig for a suspended cluster: its machines are not there, or off."""
    if suspension is not None:
        raise InvalidConfig(f"{name} is suspended.", 'Type "rigger resume".')
