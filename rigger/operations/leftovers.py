"""Name what may be left over of a cluster; keep no record of what somebody says is gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rigger.audit.events import SaidGone
from rigger.environments.state import state_of
from rigger.errors import BadUsage
from rigger.operations.consent import Consent
from rigger.runs.reporter import Reporter, Silent
from rigger.values import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.environments.environment import Environment


@frozen
class Leftovers:
    """What may be left over, and what was said to be gone just now."""

    name: str
    items: tuple[str, ...]
    gone: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "leftovers": list(self.items), "gone": list(self.gone)}


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

    Raises BadUsage for what is not on record, or where nobody agrees; Interrupted on a no.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    with environment.locked("rigger leftovers"):
        known = state_of(environment).leftovers.items
        gone = known if everything else _named(environment, known, names)
        if gone:
            for item in gone:
                reporter.line(f"  {item}")
            consent.agree("Have you seen that this is gone? Nobody will look for it any more.")
            by = f"{os.environ.get('USER') or os.getuid()}@{os.uname().nodename}"
            environment.audit.append(SaidGone(items=list(gone), by=by))
    return Leftovers(environment.name, tuple(state_of(environment).leftovers.items), tuple(gone))


def _named(environment: Environment, known: Sequence[str], names: Sequence[str]) -> list[str]:
    for name in names:
        if not any(name in (item, item.split()[0]) for item in known):
            raise BadUsage(
                f"{name!r} is not on record as left over of {environment.name}.",
                '"rigger leftovers" lists what is.',
            )
    return [item for item in known if item in names or item.split()[0] in names]
