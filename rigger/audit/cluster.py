"""Which cluster the audit log says was made."""

from __future__ import annotations

from rigger.audit.events import (
    Destroyed,
    Event,
    Repaired,
    RunStarted,
    StepStarted,
    UpgradeFinished,
    UpgradeRolledBack,
    UpgradeStarted,
)
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MODULES = ("PLATFORM", "PROVIDER")
LOOKS = ("check", "plan", "audit", "init")  # scripts that make nothing, also where there is nothing


@frozen
class RecordedModule:
    """A module that a cluster was made with; empty where an older rigger did not record it."""

    name: str
    origin: str  # where it came from: shipped with rigger, the platform's repository ...
    interface: str
    version: str  # of rigger, or of the repository, that it was part of
    sha256: str  # of its files


@frozen
class RecordedCluster:
    """What a cluster that exists was made as, by the audit log; empty where an older rigger did not record it."""

    modules: Mapping[str, frozenset[str]]  # PROVIDER and PLATFORM: the names that their manifests say
    ids: frozenset[str]
    id: str  # the last of them
    answers: Mapping[str, str]  # of the last step, secrets apart
    made_with: Mapping[str, RecordedModule]  # PROVIDER and PLATFORM, as the last run had them


class ClusterHistory:
    """Of the cluster that exists: the runs that made it, and the answers and the version that it has."""

    def __init__(self) -> None:
        self.destroyed = False  # whether there was another before
        self.lost = False  # whether records that are lost may have said that there is one
        self._made = False
        self._run: RunStarted | None = None
        self._made_by: dict[str, set[str]] = {name: set() for name in MODULES}
        self._made_with: dict[str, RecordedModule] = {}
        self._ids: dict[str, None] = {}  # of the runs, the last one's last
        self._answers: Mapping[str, str] = {}
        self._version = ""

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case RunStarted():
                self._run = event
                if self._made:
                    self._count(event)
            case StepStarted() if event.step not in LOOKS:
                self._make(event)
            case UpgradeStarted() if not event.rollback:
                self._version = event.from_  # the vars say the new one only when the cluster runs it
            case UpgradeFinished() | UpgradeRolledBack():
                self._version = event.to
            case Repaired():
                self.lost = self.lost or bool(event.lost)
            case Destroyed():
                self.destroyed, self.lost = True, False
                self._made, self._answers, self._version = False, {}, ""
                self._made_by, self._made_with, self._ids = {name: set() for name in MODULES}, {}, {}

    def _make(self, event: StepStarted) -> None:
        if not self._made:
            self._made = True
            if self._run:
                self._count(self._run)
        self._answers = event.parameters
        if event.command != "upgrade":
            self._version = event.parameters.get("VERSION", "")

    def _count(self, run: RunStarted) -> None:
        """Take in whom a run of this cluster was about."""
        for name, module, told in (
            ("PLATFORM", run.platform, run.platform_is),
            ("PROVIDER", run.provider, run.provider_is),
        ):
            self._made_by[name] |= {module} if module else set()
            if told.get("origin"):
                self._made_with[name] = _recorded(module, told)
        if run.id:
            self._ids.pop(run.id, None)
            self._ids[run.id] = None

    @property
    def cluster(self) -> RecordedCluster | None:
        """Return what the cluster was made as, None where nothing is recorded of one."""
        if not self._made:
            return None
        plain = {name: value for name, value in self._answers.items() if not value.startswith("***")}
        return RecordedCluster(
            {name: frozenset(modules) for name, modules in self._made_by.items()},
            frozenset(self._ids),
            next(reversed(self._ids), ""),
            {**plain, "VERSION": self._version} if self._version else plain,
            {name: self._made_with.get(name, RecordedModule("", "", "", "", "")) for name in MODULES},
        )


def _recorded(name: str, told: Mapping[str, str]) -> RecordedModule:
    """Return a module as a run that says where it came from had it."""
    return RecordedModule(name, *(told.get(key, "") for key in ("origin", "interface", "version", "sha256")))
