"""Where modules come from: add, remove, list and update repositories."""

from __future__ import annotations

import os
import re
import time

from rigger.environments.home import Home
from rigger.environments.state import state_of
from rigger.errors import BadUsage, NotReady, RiggerError
from rigger.later import later
from rigger.modules.contract import NAME
from rigger.repositories import store
from rigger.text import listed, ways
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rigger.repositories import source as sources
    from rigger.repositories.source import Fetched, Source
    from rigger.repositories.store import Repository
    from rigger.runs.reporter import Reporter
else:
    sources = later("rigger.repositories.source")


@frozen
class Listed:
    """A repository, and what an update found of it."""

    repository: Repository
    changes: tuple[str, ...] = ()  # in a sentence each
    problems: tuple[str, ...] = ()
    failed: bool = False  # whether the last update still counts

    def as_dict(self) -> dict[str, Any]:
        one = self.repository
        modules = [
            {
                "name": component.name,
                "description": component.description,
                "versions": [each.version for each in component.versions],
                "latest": component.latest().version,
            }
            for component in one.index.components
        ]
        return {
            "name": one.name,
            "url": one.url,
            "kind": one.kind,
            "commit": one.commit,
            "updated": one.updated,
            "modules": modules,
            "changes": list(self.changes),
            "problems": list(self.problems),
        }


@frozen
class Repositories:
    """Some repositories."""

    repositories: tuple[Listed, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"repositories": [one.as_dict() for one in self.repositories]}


def add(home: Home, place: str, name: str = "") -> Repositories:
    """Add a repository and read its index; raises BadUsage, NotReady or Refused, and adds nothing then."""
    source = sources.source_of(place)
    known = store.repositories(home.path)
    if same := [one for one in known if one.url == source.url]:
        raise BadUsage(
            f"{source.url} is there already, as {same[0].name}.",
            ways(("Read its index again", f"rigger repository update {same[0].name}")),
        )
    if name and not re.fullmatch(NAME, name):
        raise BadUsage(f"{name!r} is not a name: lower-case letters, digits, - and _, at most 63.")
    fetched = sources.read(source)
    name = name or sources.usual_name(source, fetched.index)
    if taken := [one for one in known if one.name == name]:
        raise BadUsage(
            f"There is a repository {name} already, from {taken[0].url}.",
            ways(("Give this one another name", f"rigger repository add {place} --as NAME")),
        )
    home.make()
    one = _of(source, fetched, name, _now(precise=True))
    store.keep(home.path, one)
    return Repositories((Listed(one, problems=fetched.problems),))


def remove(home: Home, name: str) -> Repositories:
    """Forget a repository; modules that were added from it stay. Raises BadUsage where there is none."""
    one = store.repository(home.path, name)
    store.forget(home.path, name)
    return Repositories((Listed(one),))


def listed_repositories(home: Home) -> Repositories:
    """Return the repositories with what they have, as of their last updates."""
    return Repositories(tuple(map(Listed, store.repositories(home.path))))


def update(home: Home, name: str = "") -> Repositories:
    """Read the index of one repository again, by default of all; where that fails, the last one counts.

    Raises NotReady, with the result, where one could not be read, and BadUsage where there is none of that name.
    """
    every = [store.repository(home.path, name)] if name else store.repositories(home.path)
    done = Repositories(tuple(_updated(home, one) for one in every))
    if failed := [one for one in done.repositories if one.failed]:
        names = listed([one.repository.name for one in failed])
        problem = NotReady(
            f"{names} could not be updated; the last update is used. {failed[0].problems[0]}",
            ways(*(("Try again", f"rigger repository update {one.repository.name}") for one in failed)),
        )
        raise problem.with_result(done)
    return done


def place_of_mirror(home: Home, folder: str, reporter: Reporter) -> None:
    """Have the modules of a mirror as a repository, named offline; says so where another one has that name."""
    known = [one for one in store.repositories(home.path) if one.url == folder]
    if known:
        _updated(home, known[0])
    elif "offline" in store.names(home.path):
        reporter.warn(
            f"There is another repository named offline. To have these modules: rigger repository add {folder} --as NAME"
        )
    elif os.path.isfile(os.path.join(folder, "v1.yaml")):
        add(home, folder, "offline")


def _updated(home: Home, one: Repository) -> Listed:
    source = sources.Source(one.kind, one.url)
    try:
        fetched = sources.read(source)
    except RiggerError as problem:
        return Listed(one, problems=(f"{problem.message} {problem.next_step}".strip(),), failed=True)
    new = _of(source, fetched, one.name, one.added)
    store.keep(home.path, new)
    changed, others = _changes(one, new), _other_digests(one, new)
    changed += [f"{at} has other files than before: {now}, not {before}." for at, before, now in others]
    return Listed(new, tuple(changed), (*fetched.problems, *_pinned(home, others)))


def _of(source: Source, fetched: Fetched, name: str, added: str) -> Repository:
    return store.Repository(
        name, source.url, source.kind, added, _now(), fetched.index, fetched.commit, fetched.declared
    )


def _now(precise: bool = False) -> str:
    now = time.time()
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{text}.{int(now % 1 * 1000):03d}Z" if precise else f"{text}Z"


def _digests(one: Repository) -> dict[str, str]:
    return {f"{c.name}@{v.version}": v.digest for c in one.index.components for v in c.versions}


def _changes(before: Repository, after: Repository) -> list[str]:
    old, new = _digests(before), _digests(after)
    changes = [f"{at} is new." for at in new if at not in old]
    return changes + [f"{at} is gone." for at in old if at not in new]


def _other_digests(before: Repository, after: Repository) -> list[tuple[str, str, str]]:
    old, new = _digests(before), _digests(after)
    return [(at, old[at], new[at]) for at in new if old.get(at) and new[at] and new[at] != old[at]]


def _pinned(home: Home, others: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return in a sentence each which environments have the files of a version that its repository replaced."""
    found = []
    for name in home.names() if others else ():
        environment = home.at(name)
        pins = {
            f"{one.module}@{one.version}": one.sha256
            for one in state_of(environment).modules.modules.values()
            if one.repository
        }
        found += [
            f"{name} has {at} with the old files ({before[:19]}...), and keeps them."
            for at, before, _ in others
            if before == f"sha256:{pins.get(at)}"
        ]
    return found
