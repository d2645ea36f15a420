"""The state that an audit log came to at one of its records, kept beside the log: what follows alone is read again.

It is never believed by itself. The log must have that record, of that hash, where the snapshot says; what follows must be
chained to it, and to the head beside the log. A damaged or stale one, or one of another rigger, is as good as none.
"""

from __future__ import annotations

from contextlib import suppress

from rigger.audit.events import parse
from rigger.audit.fold import Fold, copied
from rigger.audit.head import Head, Place
from rigger.errors import RiggerError
from rigger.kept import keep, recall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.audit.log import AuditLog

EVERY = 100  # records after which a new one is made: to fold as many costs about as much as to read one
ROOMS = ("audit",)  # whose code works a state out


def folded(log: AuditLog) -> Fold:
    """Return what a log comes to; raises InvalidConfig for a damaged one."""
    path = f"{log.path.removesuffix('.jsonl')}.snapshot"
    kept = _read(path)
    records = log.after(kept[0]) if kept else None
    fold = kept[1] if kept and records is not None else Fold()
    if records is None:
        records, kept = log.records(), None
    for record in records:
        fold.take(parse(record))
    if len(records) >= EVERY:
        _keep(path, log, fold, records[-1]["seq"], chained=kept is not None)
    return fold


def further(log: AuditLog, place: Place, fold: Fold) -> Fold | None:
    """Return what a log comes to that came to a fold at a place, None where it does not go on from there.

    The fold stays as it is.
    """
    records = log.after(place)
    if records is None:
        return None
    fold = copied(fold)
    for record in records:
        fold.take(parse(record))
    return fold


def _keep(path: str, log: AuditLog, fold: Fold, count: int, chained: bool) -> None:
    """Write a snapshot, where that can be; of a log that was not chained to an earlier one, once all of it was checked."""
    with suppress(RiggerError, OSError):
        place = log.place()
        if place.head.count == count and (chained or log.verify((count, place.head.hash)).ok):
            keep(path, {"head": str(place.head), "size": place.size}, fold, ROOMS)


def _read(path: str) -> tuple[Place, Fold] | None:
    recalled = recall(path, ROOMS)
    if recalled is None:
        return None
    said, fold = recalled
    head, size = Head.parse(str(said.get("head"))), said.get("size")
    if head is None or type(size) is not int or not isinstance(fold, Fold):
        return None
    return Place(head, size), fold
