"""Which version of its platform a cluster runs, as the audit log tells it."""

from __future__ import annotations

from rigger import versions
from rigger.audit.events import (
    Configured,
    Destroyed,
    Event,
    Loaded,
    StepFinished,
    StepStarted,
    UpgradeFinished,
    UpgradeRolledBack,
    UpgradeStarted,
    VersionChangeAllowed,
)
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Deployed:
    """A version of a platform, and where it came from if not from a release."""

    version: str
    ref: str = ""  # a branch, tag or commit
    folder: str = ""  # of the user's own

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Deployed:
        """Return what values say."""
        return cls(values.get("VERSION", ""), values.get("REF", ""), values.get("CHECKOUT", ""))

    @property
    def is_release(self) -> bool:
        return not (self.ref or self.folder)

    def is_same(self, other: Deployed) -> bool:
        """Return whether both are one version: work in a folder, and a branch that moves on, change none."""
        if self.folder or other.folder:
            return bool(self.folder and other.folder)
        if self.ref or other.ref:
            return self.ref == other.ref
        return versions.is_same(self.version, other.version)

    def changes_to(self, wanted: Deployed) -> bool:
        """Return whether another version would come in its place; a folder has none, whatever lies in it."""
        return self != UNKNOWN and not wanted.folder and not self.is_same(wanted)

    def values(self) -> dict[str, str]:
        """Return the values that say it; an empty one is not set."""
        return {"VERSION": self.version, "REF": self.ref, "CHECKOUT": self.folder}


UNKNOWN = Deployed("")


class VersionHistory:
    """The version that runs, and the other one that a provision was allowed to bring, or has begun to."""

    def __init__(self) -> None:
        self.running: Deployed | None = None  # None where nothing was ever deployed, or it was taken away
        self.allowed: Deployed | None = None
        self.begun: Deployed | None = None  # deployed by a provision that did not finish
        self._before: Deployed | None = None  # an upgrade
        self._steps: dict[tuple[str, int], StepStarted] = {}  # that began, by run and number

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case StepStarted(step="deploy" | "undeploy") if event.module.startswith("platform/"):
                self._start(event)
            case StepFinished() if begun := self._steps.pop((event.run, event.number), None):
                self._finish(begun, event)
            case VersionChangeAllowed():
                self.allowed = Deployed(event.to, event.ref, event.checkout)
            case Configured() if {"VERSION", "REF", "CHECKOUT"} & {*event.changed}:
                self.allowed = None
            case UpgradeStarted() if not event.rollback:
                self._before = self.running
            case UpgradeFinished():
                self._run(replace(self.running or Deployed(""), version=event.to, ref=""))
            case UpgradeRolledBack():
                self._run(replace(self._before or self.running or Deployed(""), version=event.to))
            case Destroyed():
                self._run(None)
            case Loaded() if self.running and self.running.folder:
                self._run(
                    UNKNOWN
                )  # the bundle has the folder's scripts, and they have a version of their own here

    def _start(self, event: StepStarted) -> None:
        self._steps[event.run, event.number] = event
        deployed = Deployed.of(event.parameters)
        if event.step == "deploy" and self.running and self.running.changes_to(deployed):
            self.begun = deployed

    def _finish(self, begun: StepStarted, ended: StepFinished) -> None:
        if ended.exit_code != 0:
            return
        if begun.step == "deploy":
            self._run(Deployed.of(begun.parameters))
        elif begun.command == "destroy":  # after that of a suspend, the same version comes again
            self._run(None)

    def _run(self, version: Deployed | None) -> None:
        self.running, self.allowed, self.begun = version, None, None
