"""What the audit log says of an upgrade that was begun: how far it got, and the ways on from there."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterable, Mapping
from typing import Any

from rigger.audit.steps import History
from rigger.audit.upgrades import Request
from rigger.operations.session import Session

Records = Iterable[Mapping[str, Any]]


def records_since(records: Records, request: Request) -> list[Mapping[str, Any]]:
    """Return the records since an upgrade was begun, none where it was not."""
    return [record for record in records if request.since and record["seq"] >= request.since]


def commit_before(records: Records) -> str:
    """Return the commit that the last upgrade left, nothing where it left none."""
    before, forward = "", False
    for record in records:
        if record["event"] == "upgrade-started":
            forward = not record.get("rollback")
            before = "" if forward else before
        elif record["event"] == "checked-out" and forward:
            before = record["before"]
    return before


def backup_finished(records: Records) -> float:
    """Return when the upgrade's own backup was whole, in seconds since 1970, 0 where it was not.

    One that "rigger backup" made later holds the data of a cluster between two versions.
    """
    own = set()
    for record in records:
        step = record["run"], record.get("number")
        if record["event"] == "step-started" and (record["command"], record["step"]) == ("upgrade", "backup"):
            own.add(step)
        elif record["event"] == "step-finished" and step in own and record.get("exit_code") == 0:
            return _seconds(record["time"]) + 0.001  # a record's time is cut off, not rounded
    return 0


def _seconds(time_of_record: str) -> float:
    """Return 2026-11-20T21:44:00.123Z in seconds since 1970."""
    whole = calendar.timegm(time.strptime(time_of_record[:19], "%Y-%m-%dT%H:%M:%S"))
    return whole + int(time_of_record[20:23]) / 1000


def ways_out(work: Session, request: Request) -> str:
    """Return the exact state of an upgrade that failed, and the commands that lead out of it."""
    since = records_since(work.records, request)
    recorded = work.environment.vars().get("VERSION", "no version")
    ways = [f"{_state(since, request)}; {recorded} is recorded.", 'Go on: "rigger upgrade --resume".']
    if not request.back:
        ways.append('Go back: "rigger upgrade --rollback".')
    finished = backup_finished(since)
    if finished and (backup := work.environment.backups.last(until=finished)):
        ways.append(f'Put the data of before back: "rigger restore {backup}".')
    return " ".join(ways)


def _state(since: Records, request: Request) -> str:
    """Return how far an upgrade got, in words."""
    last = History.of(since).last
    upgraded = next((record for key, record in last.items() if key.endswith(request.verb)), None)
    way = f"{request.start} {'back ' if request.back else ''}to {request.to}"
    if upgraded is None:
        return f"The cluster still runs {request.start}: nothing of it was changed yet"
    if not upgraded.succeeded:
        return f"The cluster is between two versions, on its way from {way}"
    return f"All members were brought from {way}, but that was not found to be well"
