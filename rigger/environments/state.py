"""The state of an environment's cluster, as its audit log tells it."""

from __future__ import annotations

from rigger.audit.snapshot import folded, further
from rigger.audit.state import ClusterState
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.audit.fold import Fold
    from rigger.audit.head import Place
    from rigger.environments.environment import Environment
STATE = "state"


@frozen
class _Known:
    """What a log came to: `log` tells whether it is as it was, `place` is its end then, None where that is not known."""

    log: tuple[int, ...] | None
    place: Place | None
    fold: Fold
    state: ClusterState


def state_of(environment: Environment) -> ClusterState:
    """Return the state of the cluster, by the audit log as it is now; raises InvalidConfig for a damaged one."""
    log = environment.audit.state()
    known: _Known | None = environment.worked_out.get(STATE)
    if known is None or known.log != log:
        known = environment.worked_out[STATE] = _worked_out(environment, log, known)
    return known.state


def _worked_out(environment: Environment, log: tuple[int, ...] | None, before: _Known | None) -> _Known:
    """Return what the log comes to: what it came to before, and the records that were added since."""
    audit, fold = environment.audit, None
    if before and before.place:
        fold = further(audit, before.place, before.fold)
    fold = fold or folded(audit)
    place = audit.place()
    return _Known(log, place if audit.state() == log else None, fold, ClusterState.of_fold(fold))


def may_have_cluster(environment: Environment) -> bool:
    """Return whether a step was run since the environment was made or destroyed, or may have been: there may be a cluster."""
    state = state_of(environment)
    return state.cluster is not None or state.lost or bool(environment.nodes())
