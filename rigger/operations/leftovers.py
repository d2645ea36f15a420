"""Name what may be left over of a cluster; keep no record of what somebody says is gone."""

from __future__ import annotations

from rigger.audit.cluster import LOOKS
from rigger.audit.events import SaidGone
from rigger.environments.state import state_of
from rigger.errors import BadUsage
from rigger.operations.consent import Consent
from rigger.process.actor import actor
from rigger.runs.reporter import Reporter, Silent
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rigger.audit.state import ClusterState
    from rigger.environments.environment import Environment

GONE = "Have you seen that this is gone? Nobody will look for it any more."
NOTHING_LEFT = "Have you seen that nothing of it is left? Nobody will look for it any more."


@frozen
class Leftovers:
    """What may be left over, and what was said to be gone just now."""

    name: str
    items: tuple[str, ...]
    gone: tuple[str, ...] = ()
    nothing_left: bool = False  # whether that was said of the whole cluster

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "leftovers": list(self.items),
            "gone": list(self.gone),
            "nothing_left": self.nothing_left,
        }


def leftovers(environment: Environment) -> Leftovers:
    """Return what is on record as left over, by what scripts named and what a killed create was making."""
    return Leftovers(environment.name, tuple(state_of(environment).leftovers.items))


def say_gone(
    environment: Environment,
    names: Sequence[str],
    everything: bool = False,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> Leftovers:
    """Take what a person has seen to be gone off the record: by its whole text, its first word, or all of it.

    All of it, after a destroy that did not succeed, is the whole cluster. Raises BadUsage for what is not on record, or where nobody agrees; Declined on a no.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    with environment.locked("rigger leftovers"):
        state = state_of(environment)
        ends = everything and _was_destroyed_in_vain(state)
        known = [*state.leftovers.items, *(_machines(environment) if ends else ())]
        gone = known if everything else _named(environment, known, names)
        if gone or ends:
            for item in gone:
                reporter.line(f"  {item}")
            consent.agree(NOTHING_LEFT if ends else GONE)
            environment.audit.append(SaidGone(items=list(gone), all=ends, by=actor()))
    return Leftovers(environment.name, tuple(state_of(environment).leftovers.items), tuple(gone), ends)


def _was_destroyed_in_vain(state: ClusterState) -> bool:
    """Return whether the last that was done to the machines is a destroy; one that removed all leaves no history."""
    changes = [
        run.started
        for run in state.steps.last.values()
        if run.started.module.startswith("provider/") and run.started.step not in LOOKS
    ]
    return bool(changes) and max(changes, key=lambda started: started.seq).step == "destroy"


def _machines(environment: Environment) -> list[str]:
    return [f"machine {node.name} ({node.address})" for node in environment.nodes()]


def _named(environment: Environment, known: Sequence[str], names: Sequence[str]) -> list[str]:
    for name in names:
        if not any(name in (item, item.split()[0]) for item in known):
            raise BadUsage(
                f"{name!r} is not on record as left over of {environment.name}.",
                '"rigger leftovers" lists what is.',
            )
    return [item for item in known if item in names or item.split()[0] in names]
