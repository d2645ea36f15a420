"""The histories of a cluster, each of which hears every event of its audit log and keeps what concerns it.

None of them keeps more than the cluster, its steps and its checkouts are: what is worked out of a log must not grow with it.
"""

from __future__ import annotations

from rigger.audit.backups import BackupHistory
from rigger.audit.checkouts import CheckoutHistory
from rigger.audit.claims import ClaimHistory
from rigger.audit.cluster import ClusterHistory
from rigger.audit.leftovers import LeftoverHistory
from rigger.audit.missing import MissingFiles
from rigger.audit.modules import ModuleHistory
from rigger.audit.nodes import NodeHistory
from rigger.audit.readiness import ReadinessHistory
from rigger.audit.restores import RestoreHistory
from rigger.audit.runs import LastRun
from rigger.audit.steps import StepHistory
from rigger.audit.suspension import SuspensionHistory
from rigger.audit.upgrades import UpgradeHistory
from rigger.audit.values import ValueHistory
from rigger.audit.versions import VersionHistory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from rigger.audit.events import Event

    T = TypeVar("T")

ROOM = __name__.rpartition(".")[0] + "."
SHARED = frozenset({str, int, float, bool, type(None), tuple, frozenset})


class Fold:
    """All histories of one cluster."""

    def __init__(self) -> None:
        self.clusters = ClusterHistory()
        self.steps = StepHistory()
        self.suspensions = SuspensionHistory()
        self.upgrades = UpgradeHistory()
        self.restores = RestoreHistory()
        self.versions = VersionHistory()
        self.runs = LastRun()
        self.checkouts = CheckoutHistory()
        self.leftovers = LeftoverHistory()
        self.claims = ClaimHistory()
        self.backups = BackupHistory()
        self.readiness = ReadinessHistory()
        self.missing = MissingFiles()
        self.modules = ModuleHistory()
        self.values = ValueHistory()
        self.nodes = NodeHistory()

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        for history in vars(self).values():
            history.take(event)


def copied(value: T) -> T:
    """Return histories that can go on while the given ones stay as they are; values, which nothing changes, are shared."""
    kind = type(value)
    if kind in SHARED:
        return value
    if isinstance(value, dict):
        return kind((name, copied(one)) for name, one in value.items())  # type: ignore[call-arg]
    if isinstance(value, (list, set)):
        return kind(map(copied, value))  # type: ignore[call-arg]
    if not kind.__module__.startswith(ROOM) or kind.__setattr__ is not object.__setattr__:
        return value
    copy = object.__new__(kind)
    copy.__dict__.update(copied(value.__dict__))
    return copy
