"""Upgrades in the audit log: asked for, unfinished, and the ways on from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rigger.errors import InvalidConfig

WAYS_ON = 'Go on with "rigger upgrade --resume", or back with "rigger upgrade --rollback".'


@dataclass(frozen=True)
class Request:
    """A jump from one version to another, and the way it is made."""

    start: str
    to: str
    style: str
    since: int = 0  # the number of the audit record that began it; 0: not begun
    back: bool = False  # a rollback of one that did not finish

    @property
    def verb(self) -> str:
        return f"upgrade-{self.style}"


def pending(records: Iterable[Mapping]) -> Request | None:
    """Return the upgrade that was begun and not finished, None where there is none."""
    found = None
    for record in records:
        if record["event"] == "upgrade-started":
            found = Request(
                record["from"], record["to"], record["style"], record["seq"], record.get("rollback", False)
            )
        elif record["event"] in ("upgrade-finished", "upgrade-rolled-back", "destroyed", "restored"):
            found = None
    return found


def require_none(name: str, records: Iterable[Mapping]) -> None:
    """Raise InvalidConfig between two versions, for a command that takes for granted which one runs."""
    begun = pending(records)
    if begun is not None:
        raise InvalidConfig(unfinished(name, begun.start, begun.to), WAYS_ON)


def unfinished(name: str, start: str, to: str) -> str:
    """Return the sentence about an upgrade that was begun and not finished."""
    return f"The upgrade of {name} from {start} to {to} is not finished."
