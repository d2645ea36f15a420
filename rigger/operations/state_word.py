"""What state a cluster is in, in one word."""

from __future__ import annotations

from rigger.audit.runs import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.audit.state import ClusterState

MAKES = ("/create", "/install", "/deploy")  # steps without whose success a cluster is not whole


def state_word(state: ClusterState, last_outcome: str) -> str:
    """Return the state of a cluster; `last_outcome` is how its last run ended, "" where nothing was run yet."""
    steps = state.steps
    if last_outcome == RUNNING:
        return "running"
    destroying = any(
        _is_of(key, "provider", "destroy") for key in steps.last
    )  # one that ended well is forgotten
    if not destroying and state.suspension:
        return "suspended" if state.suspension.done else "half-suspended"
    if destroying or any(steps.unfinished(key) for key in steps.last if key.endswith(MAKES)):
        return "unfinished"
    if state.restore:
        return "half-restored"
    if steps.failed_checks:
        return "unwell"
    if any(_is_of(key, "platform", "deploy") for key in steps.done):
        return "deployed"
    if is_made(state):
        return "created"
    return "destroyed" if state.destroyed else "configured"


def is_made(state: ClusterState) -> bool:
    """Return whether there are machines, or a platform on them."""
    return any(
        _is_of(key, "provider", "create") or _is_of(key, "platform", "deploy") for key in state.steps.done
    )


def _is_of(key: str, role: str, verb: str) -> bool:
    return key.startswith(f"{role}/") and key.endswith(f"/{verb}")
