"""Whether a cluster is suspended, as the audit log tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rigger.errors import InvalidConfig

STARTED, DONE = "suspend-started", "suspended"
ENDS = ("resumed", "destroyed")


def last(records: Iterable[Mapping]) -> Mapping | None:
    """Return the record of a suspend that has begun or ended and was not resumed, None where there is none."""
    found = None
    for record in records:
        if record["event"] in (STARTED, DONE):
            found = record
        elif record["event"] in ENDS:
            found = None
    return found


def emptied(records: Iterable[Mapping]) -> bool:
    """Return whether a suspend that was not resumed has begun to take the platform or its machines away.

    From then on its backup is what counts; before, all is where it was.
    """
    begun = found = False
    for record in records:
        if record["event"] in (STARTED, DONE):
            begun = True
        elif record["event"] in ENDS:
            begun = found = False
        elif record["event"] == "step-started" and record["step"] in ("undeploy", "suspend"):
            found = found or begun
    return found


def backup(records: Sequence[Mapping]) -> str:
    """Return the path, in the environment, of the data that resume will put back, nothing where there is none to put back.

    It is the only place where the data is.
    """
    begun = last(records)
    return begun["backup"] if begun and begun["backup"] and emptied(records) else ""


def require_running(name: str, records: Iterable[Mapping]) -> None:
    """Raise InvalidConfig for a suspended cluster: its machines are not there, or off."""
    if last(records) is not None:
        raise InvalidConfig(f"{name} is suspended.", 'Type "rigger resume".')
