"""What an audit log comes to: the state of a cluster, worked out in one pass."""

from __future__ import annotations

from rigger.audit.events import parse
from rigger.audit.fold import Fold
from rigger.audit.suspension import Suspension, require_not_suspended
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rigger.audit.backups import BackupHistory
    from rigger.audit.checkouts import CheckoutHistory
    from rigger.audit.cluster import RecordedCluster
    from rigger.audit.events import Record, Rows
    from rigger.audit.leftovers import LeftoverHistory
    from rigger.audit.modules import ModuleHistory
    from rigger.audit.readiness import ReadinessHistory
    from rigger.audit.runs import LastRun
    from rigger.audit.steps import StepHistory
    from rigger.audit.upgrades import PendingUpgrade
    from rigger.audit.values import ValueHistory
    from rigger.audit.versions import VersionHistory


@frozen
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
    runs: LastRun
    checkouts: CheckoutHistory
    leftovers: LeftoverHistory
    claimed: frozenset[str]  # nodes, `name address`, that a claim was left on
    backups: BackupHistory
    readiness: ReadinessHistory
    modules: ModuleHistory
    values: ValueHistory
    nodes: Rows  # name and address
    missing: Sequence[str]  # files that were left out of the bundle which was loaded last, and are not here

    @classmethod
    def of(cls, records: Iterable[Record]) -> ClusterState:
        """Return what the records of an audit log, the oldest first, come to."""
        fold = Fold()
        for record in records:
            fold.take(parse(record))
        return cls.of_fold(fold)

    @classmethod
    def of_fold(cls, fold: Fold) -> ClusterState:
        """Return what the histories come to that have heard a whole log."""
        return cls(
            fold.clusters.cluster,
            fold.clusters.destroyed,
            fold.clusters.lost,
            fold.steps,
            fold.suspensions.suspension,
            fold.upgrades.pending,
            fold.restores.pending,
            fold.versions,
            fold.runs,
            fold.checkouts,
            fold.leftovers,
            fold.claims.nodes,
            fold.backups,
            fold.readiness,
            fold.modules,
            fold.values,
            fold.nodes.nodes,
            fold.missing.names,
        )

    def require_running(self, name: str) -> None:
        """Raise InvalidConfig for a suspended cluster: its machines are not there, or off."""
        require_not_suspended(name, self.suspension)

    def require_no_upgrade(self, name: str) -> None:
        """Raise InvalidConfig between two versions, for a command that takes for granted which one runs."""
        if self.upgrade:
            raise self.upgrade.problem(name)
