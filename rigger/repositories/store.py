"""The repositories of a home: where each is, and its index as it was at the last update."""

from __future__ import annotations

import json
import os
import re

from rigger.errors import BadUsage, InvalidConfig
from rigger.files import unlink_if_there, write_bytes
from rigger.modules.contract import NAME
from rigger.repositories.index import Index, of_data
from rigger.text import did_you_mean, listed, ways
from rigger.values import asdict, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FOLDER = "indexes"  # in RIGGER_HOME: NAME.json for each repository
FORMAT = 1


@frozen
class Repository:
    """Where modules come from."""

    name: str
    url: str  # as source.py has it: a URL, or the absolute path of a folder or a file
    kind: str  # see source.py
    added: str  # when, in UTC; the order in which they are looked into
    updated: str  # when the index was read last
    index: Index
    commit: str = ""  # of a git repository, which the index was read at
    declared: frozenset[str] = (
        frozenset()
    )  # NAME@VERSION whose digest the index gives: the others are as they were found

    @property
    def modules(self) -> int:
        return len(self.index.components)


def repositories(home: str) -> list[Repository]:
    """Return the repositories of a home in the order in which they were added; raises InvalidConfig."""
    found = [_read(home, name) for name in names(home)]
    return sorted(found, key=lambda one: (one.added, one.name))


def names(home: str) -> list[str]:
    """Return the names of the repositories of a home."""
    try:
        files = os.listdir(os.path.join(home, FOLDER))
    except OSError:
        return []
    return sorted(name[:-5] for name in files if name.endswith(".json") and re.fullmatch(NAME, name[:-5]))


def repository(home: str, name: str) -> Repository:
    """Return a repository by its name; raises BadUsage where there is none."""
    known = names(home)
    if name not in known:
        raise BadUsage(
            f"There is no repository {name!r}{did_you_mean(name, known)}.",
            f"There is: {listed(known)}." if known else ways(("Add one", "rigger repository add URL")),
        )
    return _read(home, name)


def keep(home: str, one: Repository) -> None:
    """Write a repository; raises InvalidConfig where that cannot be."""
    path = _path(home, one.name)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    data = {"format": FORMAT, **asdict(one), "declared": sorted(one.declared)}
    write_bytes(path, json.dumps(data).encode() + b"\n")


def forget(home: str, name: str) -> None:
    """Remove a repository from a home; modules that were added from it stay."""
    unlink_if_there(_path(home, name))


def _path(home: str, name: str) -> str:
    return os.path.join(home, FOLDER, f"{name}.json")


def _read(home: str, name: str) -> Repository:
    path = _path(home, name)
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        if data.pop("format") == FORMAT:
            return _of_data(data)
    except OSError as problem:
        raise InvalidConfig(f"{path} cannot be read: {problem.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise InvalidConfig(
        f"{path} is not what this rigger writes.",
        ways(("Take it away, then add the repository again", f"rigger repository remove {name}")),
    )


def _of_data(data: Mapping[str, Any]) -> Repository:
    fields = {**data, "index": of_data(data["index"]), "declared": frozenset(data["declared"])}
    return Repository(**fields)
