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
from rigger.audit.readiness import ReadinessHistory
from rigger.audit.restores import RestoreHistory
from rigger.audit.runs import LastRun
from rigger.audit.steps import StepHistory
from rigger.audit.suspension import SuspensionHistory
from rigger.audit.upgrades import UpgradeHistory
from rigger.audit.versions import VersionHistory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.audit.events import Event


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

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        for history in vars(self).values():
            history.take(event)
