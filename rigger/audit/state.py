"""What an audit log comes to: the state of a cluster, worked out in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rigger.audit.backups import BackupHistory
from rigger.audit.checkouts import CheckoutHistory
from rigger.audit.claims import ClaimHistory
from rigger.audit.cluster import ClusterHistory, RecordedCluster
from rigger.audit.events import Record, parse
from rigger.audit.leftovers import LeftoverHistory
from rigger.audit.readiness import ReadinessHistory
from rigger.audit.restores import RestoreHistory
from rigger.audit.runs import RunHistory
from rigger.audit.steps import StepHistory
from rigger.audit.suspension import Suspension, SuspensionHistory, require_not_suspended
from rigger.audit.upgrades import PendingUpgrade, UpgradeHistory
from rigger.audit.versions import VersionHistory

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, eq=False, repr=False)  # what is generated costs every command's start
class ClusterState:
    """What is recorded of a cluster. Every part hears every event, and keeps what concerns it."""

    cluster: RecordedCluster | None  # None where none was made, or it was destroyed
    destroyed: bool  # whether one ever was
    lost: bool  # whether records that are lost may have said that one was made
    steps: StepHistory
    suspension: Suspension | None
    upgrade: PendingUpgrade | None
    restore: str  # the file of a restore that did not finish
    versions: VersionHistory
    runs: RunHistory
    checkouts: CheckoutHistory
    leftovers: LeftoverHistory
    claimed: frozenset[str]  # nodes, `name address`, that a claim was left on
    backups: BackupHistory
    readiness: ReadinessHistory

    @classmethod
    def of(cls, records: Iterable[Record]) -> ClusterState:
        """Return what the records of an audit log, the oldest first, come to."""
        clusters, suspensions, upgrades = ClusterHistory(), SuspensionHistory(), UpgradeHistory()
        steps, runs, checkouts = StepHistory(), RunHistory(), CheckoutHistory()
        restores, versions, leftovers = RestoreHistory(), VersionHistory(), LeftoverHistory()
        claims, backups, readiness = ClaimHistory(), BackupHistory(), ReadinessHistory()
        parts = (
            clusters,
            steps,
            suspensions,
            upgrades,
            restores,
            versions,
            runs,
            checkouts,
            leftovers,
            claims,
            backups,
            readiness,
        )
        for record in records:
            event = parse(record)
            for part in parts:
                part.take(event)
        return cls(
            clusters.cluster,
            clusters.destroyed,
            clusters.lost,
            steps,
            suspensions.suspension,
            upgrades.pending,
            restores.pending,
            versions,
            runs,
            checkouts,
            leftovers,
            claims.nodes,
            backups,
            readiness,
        )

    def require_running(self, name: str) -> None:
        """Raise InvalidConfig for a suspended cluster: its machines are not there, or off."""
        require_not_suspended(name, self.suspension)

    def require_no_upgrade(self, name: str) -> None:
        """Raise InvalidConfig between two versions, for a command that takes for granted which one runs."""
        if self.upgrade:
            raise self.upgrade.problem(name)
