"""The state that an audit log came to at one of its records, kept beside the log: what follows alone is read again.

It is never believed by itself. The log must have that record, of that hash, where the snapshot says; what follows must be
chained to it, and to the head beside the log. A damaged or stale one, or one of another rigger, is as good as none.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from contextlib import suppress

from rigger.audit.events import parse
from rigger.audit.fold import Fold, copied
from rigger.audit.head import Head, Place
from rigger.errors import RiggerError
from rigger.files import write_bytes
from rigger.sha256 import sha256
from rigger.values import is_frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.audit.log import AuditLog

EVERY = 100  # records after which a new one is made: to fold as many costs about as much as to read one
ROOM = __name__.rpartition(".")[0] + "."


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
    with suppress(RiggerError, OSError, TypeError):
        place = log.place()
        if place.head.count != count or not (chained or log.verify((count, place.head.hash)).ok):
            return
        state = json.dumps(_encoded(fold), separators=(",", ":"))
        head = {"head": str(place.head), "size": place.size, "rigger": _code()}
        head["sha256"] = _digest(head, state)
        write_bytes(path, f"{json.dumps(head)}\n{state}\n".encode("ascii"), durable=False)


def _read(path: str) -> tuple[Place, Fold] | None:

    try:
        with open(path, encoding="ascii") as file:
            first, state = file.readline(), file.read().removesuffix("\n")
        said = json.loads(first)
        head = Head.parse(said["head"])
        if head and said.pop("sha256") == _digest(said, state) and said["rigger"] == _code():
            fold = _decoded(json.loads(state))
            usable = isinstance(fold, Fold) and type(said["size"]) is int
            return (Place(head, said["size"]), fold) if usable else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return None


def _digest(head: dict[str, Any], state: str) -> str:
    return sha256(f"{json.dumps(head, sort_keys=True)}\n{state}".encode()).hexdigest()


@functools.cache
def _code() -> str:
    """Return a digest of the code that works a state out: what another one kept is not believed."""
    digest, folder = sha256(), os.path.dirname(os.path.abspath(__file__))
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".py")):
        with open(os.path.join(folder, name), "rb") as file:
            digest.update(sha256(file.read()).digest())
    return digest.hexdigest()


# Histories, events and values as JSON: scalars, and dicts with names that are texts, as they are, all else as [kind, content].
# What is long and cannot change stands once, in a table: the parameters of many steps are the same, and steps are kept that
# ran last and that were done. Only classes of this room come back.

CONTAINERS: dict[str, type] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
LONG = 200  # characters of JSON
SAME = "same"


class _Table:
    """What stands once, in the order in which it must be read."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._numbers: dict[str, int] = {}

    def encoded(self, value: Any, fixed: bool = False) -> Any:
        """Return a value as JSON can hold it, `fixed` where nothing changes it; raises TypeError for what it cannot hold."""
        if value is None or isinstance(value, str | int | float):
            return value
        fixed = fixed or is_frozen(type(value))
        data = self._composite(value, fixed)
        if not fixed or len(text := json.dumps(data, separators=(",", ":"))) < LONG:
            return data
        if text not in self._numbers:
            self._numbers[text] = len(self.rows)
            self.rows.append(data)
        return [SAME, self._numbers[text]]

    def _composite(self, value: Any, fixed: bool) -> Any:
        kind = type(value)
        if kind is dict:
            pairs = [(name, self.encoded(one, fixed)) for name, one in value.items()]
            if all(isinstance(name, str) for name in value):
                return dict(pairs)
            return ["dict", [[self.encoded(name, fixed), one] for name, one in pairs]]
        if CONTAINERS.get(kind.__name__) is kind:
            return [kind.__name__, [self.encoded(one, fixed) for one in value]]
        if not kind.__module__.startswith(ROOM):
            raise TypeError(f"a snapshot cannot hold {kind}")
        name = f"{kind.__module__.removeprefix(ROOM)}.{kind.__qualname__}"
        return [name, self._composite(value.__dict__, fixed)]


def _encoded(value: Any) -> Any:
    table = _Table()
    whole = table.encoded(value)
    return [table.rows, whole]


def _decoded(data: Any) -> Any:
    table: list[Any] = []
    rows, whole = data
    for row in rows:
        table.append(_value(row, table))
    return _value(whole, table)


def _value(data: Any, table: list[Any]) -> Any:
    if isinstance(data, dict):
        for name, one in data.items():
            if isinstance(one, list | dict):
                data[name] = _value(one, table)
        return data
    if not isinstance(data, list):
        return data
    kind, content = data
    if kind == SAME:
        return table[content]
    if kind == "dict":
        return {_value(name, table): _value(one, table) for name, one in content}
    if kind in CONTAINERS:
        return CONTAINERS[kind](_value(one, table) for one in content)
    module, _, name = kind.partition(".")
    known = getattr(sys.modules[ROOM + module], name)
    if not (isinstance(known, type) and known.__module__ == ROOM + module):
        raise TypeError(f"{kind} is no class of this room")
    value: Any = object.__new__(known)
    value.__dict__.update(_value(content, table))
    return value
