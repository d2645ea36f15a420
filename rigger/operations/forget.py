"""Remove the record of a cluster that is no more."""

from __future__ import annotations

from rigger.environments.state import state_of
from rigger.errors import BadUsage
from rigger.operations.consent import Consent
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.environments.environment import Environment
    from rigger.environments.home import Home


@frozen
class Forgotten:
    """An environment of which nothing is left."""

    name: str

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name}


def forget(home: Home, name: str, consent: Consent | None = None) -> Forgotten:
    """Remove the vars, the audit log and all run logs of an environment whose cluster is destroyed.

    Raises BadUsage while the cluster may still exist, or where nobody agreed.
    """
    environment = home.get(name)
    with environment.locked("rigger forget"):
        _require_destroyed(environment)
        consent = consent or Consent()
        logs = "all run logs and backups" if environment.backups.names() else "all run logs"
        consent.agree(f"Remove the vars, the audit log and {logs} of {name}?")
        home.forget(environment)
    return Forgotten(name)


def _require_destroyed(environment: Environment) -> None:
    """Raise BadUsage while the cluster may still exist: its record is the only way to find it again."""
    state = state_of(environment)
    if state.leftovers.nothing_left:
        return
    if state.leftovers.items:
        listed = "\n".join(f"  {item}" for item in state.leftovers.items)
        raise BadUsage(
            f"Something may be left over of {environment.name}; without its record nobody would look for it:\n{listed}",
            f'Look for it; when it is gone, type "rigger -e {environment.name} leftovers --all-gone".',
        )
    made = [key for key in state.steps.last if key.endswith(("/create", "/deploy"))]
    if made or state.lost or environment.nodes():
        raise BadUsage(
            f"{environment.name} may still have machines; without its record nobody would find them again.",
            f'Type "rigger -e {environment.name} destroy" first.',
        )
