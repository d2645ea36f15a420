"""What an apply that was killed may have made without telling the state: kept until it is known, or said to be gone."""

from __future__ import annotations

import contextlib
import json
import os
import re

from rigger.files import write_bytes
from rigger.terraform.state import addresses, instances
from rigger.terraform.workspace import Workspace, lines
from rigger.values import asdict, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

JOURNAL = (
    "last-apply.jsonl"  # what Terraform says of an apply, a JSON object a line; it stays if that is killed
)
KEPT = "left-behind.jsonl"  # what the journals of earlier applies told


@frozen
class Lost:
    """What a killed apply may have made and the state does not know."""

    address: str
    id_name: str = ""  # both are empty for what was being made at that moment
    id: str = ""
    time: str = ""  # when that was begun, as Terraform tells it

    def __str__(self) -> str:
        if self.id:
            return f"{self.address} was made with {self.id_name}={self.id}, and the state does not know it"
        begun = f", since {self.time}," if self.time else ""
        return f"{self.address} was being made{begun} when Terraform was killed: look if it exists"


def lost(workspace: Workspace, state: Mapping[str, Any]) -> list[Lost]:
    """Return what killed applies may have made without telling the state, the oldest first.

    What the state has come to know is left out, and so is what somebody said is gone.
    """
    ids = {v for i in instances(state) for v in (i.get("attributes") or {}).values() if isinstance(v, str)}
    gone = workspace.values.get("RIGGER_GONE", "").splitlines()
    items = dict.fromkeys([*earlier(workspace), *_told_by_journal(workspace, state)])
    return [item for item in items if str(item) not in gone and not (item.id and item.id in ids)]


def keep(workspace: Workspace, items: Sequence[Lost]) -> None:
    """Keep these in mind and no others: the journal may go then."""
    path = workspace.file(KEPT)
    if items:
        write_bytes(path, b"".join(json.dumps(asdict(item)).encode() + b"\n" for item in items))
    else:
        forget(path)


def forget(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def unsettled(workspace: Workspace, state: Mapping[str, Any]) -> list[Lost]:
    """Return what only a person can look for: of the rest the next create tries the import first."""
    known = {*earlier(workspace)}
    return [item for item in lost(workspace, state) if not item.id or item in known]


def is_whole(workspace: Workspace) -> bool:
    """Return whether the last apply ended all that it had begun to make."""
    return not _Journal(workspace).begun


def earlier(workspace: Workspace) -> Iterator[Lost]:
    """List what was kept in mind of the applies before the last one."""
    for line in lines(workspace.file(KEPT)):
        with contextlib.suppress(ValueError, TypeError):
            yield Lost(**json.loads(line))


def _told_by_journal(workspace: Workspace, state: Mapping[str, Any]) -> Iterator[Lost]:
    journal = _Journal(workspace)
    yield from journal.made
    for item in journal.begun.values():
        if not journal.is_known(item.address, state):
            yield item


class _Journal:
    """What Terraform said in the last apply of what it made."""

    def __init__(self, workspace: Workspace):
        self.begun: dict[str, Lost] = {}  # and not ended
        self.made: list[Lost] = []
        self._replaced: set[str] = set()
        self._deleted: set[str] = set()
        for line in lines(workspace.file(JOURNAL)):
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                self._take(json.loads(line))

    def _take(self, record: Mapping[str, Any]) -> None:
        kind = record["type"]
        if kind == "planned_change":
            if record["change"]["action"] == "replace":
                self._replaced.add(record["change"]["resource"]["addr"])
            return
        hook = record["hook"]
        address, action = hook["resource"]["addr"], hook["action"]
        if action in ("create", "replace"):
            self._take_creation(kind, address, hook, record)
        elif action == "delete" and kind == "apply_complete":
            self._deleted.add(address)

    def _take_creation(
        self, kind: str, address: str, hook: Mapping[str, Any], record: Mapping[str, Any]
    ) -> None:
        if kind == "apply_start":
            self.begun[address] = Lost(address, time=re.sub(r"\.[0-9]+", "", record.get("@timestamp", "")))
        elif kind in ("apply_complete", "apply_errored"):
            self.begun.pop(address, None)
            if hook.get("id_value"):
                self.made.append(Lost(address, hook["id_key"], hook["id_value"]))

    def is_known(self, address: str, state: Mapping[str, Any]) -> bool:
        """Return whether the state knows what was being made at an address, not only what that was to replace."""
        if address not in addresses(state):
            return False
        replaces = address in self._replaced and address not in self._deleted
        return not replaces or address in addresses(state, deposed=True)
