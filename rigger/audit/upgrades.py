"""Upgrades in the audit log: asked for, unfinished, and the ways on from there."""

from __future__ import annotations

from rigger.audit.events import (
    CheckedOut,
    Destroyed,
    Event,
    Restored,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    UpgradeFinished,
    UpgradeRolledBack,
    UpgradeStarted,
)
from rigger.audit.stages import Stages
from rigger.audit.steps import StepHistory
from rigger.errors import InvalidConfig
from rigger.text import ways
from rigger.values import field, frozen

WAYS_ON = (("Resume", "rigger upgrade --continue"), ("Go back", "rigger upgrade --rollback"))


@frozen
class Request:
    """A jump from one version to another, and the way it is made."""

    start: str
    to: str
    style: str
    since: int = 0  # the number of the audit record that began it; 0: not begun
    back: bool = False  # a rollback of one that did not finish

    @property
    def verb(self) -> str:
        return f"upgrade-{self.style}"


@frozen
class PendingUpgrade:
    """An upgrade that began to change something, and was not finished."""

    request: Request
    steps: StepHistory  # since it began
    backup: StepFinished | None = None  # its own, once that was whole
    stages: Stages = field(default_factory=Stages)

    def problem(self, name: str) -> InvalidConfig:
        """Return the error between two versions, for a command that takes for granted which one runs."""
        return InvalidConfig(unfinished(name, self.request.start, self.request.to), ways(*WAYS_ON))


def unfinished(name: str, start: str, to: str) -> str:
    """Return the sentence about an upgrade that was begun and not finished."""
    return f"The upgrade of {name} from {start} to {to} is not finished."


class UpgradeHistory:
    """The upgrade that is not finished, and what it has done.

    One that ended before it changed anything, neither cluster nor checkout, is over: there is nothing to go on with.
    """

    def __init__(self) -> None:
        self._begun: UpgradeStarted | None = None
        self._changed = False
        self._steps, self._stages = StepHistory(), Stages()
        self._backups: set[tuple[str, int]] = set()  # runs and numbers of steps
        self._backup: StepFinished | None = None

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case UpgradeStarted():
                self._begun, self._changed = event, event.rollback  # the way back is from something half-way
                self._steps, self._stages = StepHistory(), Stages()
                self._backups, self._backup = set(), None
            case UpgradeFinished() | UpgradeRolledBack() | Destroyed() | Restored():
                self._begun = None
            case StepStarted(command="destroy"):  # whatever comes after it is made anew
                self._begun = None
            case RunFinished() if not self._changed:
                self._begun = None
            case RunStarted() if not self._changed and event.command != "upgrade":  # it was killed
                self._begun = None
            case CheckedOut(ref=None, tag=None):  # as an upgrade does
                self._changed = True
            case StepStarted(command="upgrade") if event.step.startswith("upgrade-"):
                self._changed = True
            case StepStarted(command="upgrade", step="backup"):
                self._backups.add((event.run, event.number))
            case StepFinished(exit_code=0) if (event.run, event.number) in self._backups:
                self._backup = self._backup or event
        if self._begun:
            self._steps.take(event)
            self._stages.take(event)

    @property
    def pending(self) -> PendingUpgrade | None:
        begun = self._begun
        if begun is None or not self._changed:
            return None
        request = Request(begun.from_, begun.to, begun.style, begun.seq, begun.rollback)
        return PendingUpgrade(request, self._steps, self._backup, self._stages)
