"""Values, as the audit log has them."""

from __future__ import annotations

from rigger.audit.events import Configured
from rigger.audit.secrets import secret_digest
from rigger.envfile.names import is_core
from rigger.process.actor import actor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from rigger.environments.environment import Environment


def hidden(environment: Environment, names: Iterable[str], values: Mapping[str, str]) -> dict[str, str]:
    """Return values with a digest in place of each secret: of those names, and those that are stored as such."""
    secrets = {*names, *environment.secrets()}
    key = environment.key() if secrets & values.keys() else b""
    return {name: secret_digest(key, value) if name in secrets else value for name, value in values.items()}


def recorded(
    environment: Environment, asked: Container[str], names: Iterable[str] | None = None
) -> dict[str, str]:
    """Return the values of an environment, all or those of some names, as a run records them.

    What no question asked for (`asked` are the names of those that did) is there as its digest, too: a step gave it, or
    somebody wrote it into the vars file, and a log is not written again where it turns out to be a secret.
    """
    values = environment.values()
    chosen = values if names is None else {name: values[name] for name in names if name in values}
    others = [name for name in chosen if name not in asked and not is_core(name, values)]
    return hidden(environment, others, chosen)


def configured(
    environment: Environment, by: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Configured | None:
    """Return the record of a change of values by a command, None where nothing changes; all of them are given.

    It has their names alone, as somebody may see at once that one of them should not be on record; a run records the values
    that it works with.
    """
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if not changed:
        return None
    return Configured(by=by, changed=changed, who=actor(), actor=environment.call.actor)
