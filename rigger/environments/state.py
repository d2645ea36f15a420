"""The state of an environment's cluster, as its audit log tells it."""

from __future__ import annotations

from rigger.audit.snapshot import folded
from rigger.audit.state import ClusterState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.environment import Environment
STATE = "state"


def state_of(environment: Environment) -> ClusterState:
    """Return the state of the cluster, by the audit log as it is now; raises InvalidConfig for a damaged one."""
    log = environment.audit.state()
    known: tuple[object, ClusterState] | None = environment.worked_out.get(STATE)
    if known is None or known[0] != log:
        known = environment.worked_out[STATE] = log, ClusterState.of_fold(folded(environment.audit))
    return known[1]


def may_have_cluster(environment: Environment) -> bool:
    """Return whether a step was run since the environment was made or destroyed, or may have been: there may be a cluster."""
    state = state_of(environment)
    return state.cluster is not None or state.lost or bool(environment.nodes())
