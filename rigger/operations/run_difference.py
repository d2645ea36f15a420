"""What two runs differ in: values, scripts, versions and nodes; from the audit log alone."""

from __future__ import annotations

from rigger.audit.secrets import is_hidden
from rigger.errors import BadUsage, DifferencesFound
from rigger.operations.history import history, named
from rigger.operations.moment import end_of, moment, now
from rigger.text import visible
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.audit.state import ClusterState
    from rigger.environments.environment import Environment
    from rigger.operations.history import PastRun
    from rigger.operations.moment import Moment

    Pair = tuple[str | None, str | None]  # None: it was not there

SHORT = 12  # digits of a digest


@frozen
class Change:
    """A value that was another one at two moments; what is hidden is a secret, or no question asked for it."""

    before: str | None
    after: str | None
    hidden: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {"from": self.before, "to": self.after, "hidden": self.hidden}


@frozen
class PastDifferences:
    """The values that are not the same at two moments, by name."""

    before: Moment
    after: Moment
    changes: Mapping[str, Change]

    def as_dict(self) -> dict[str, Any]:
        changes = {name: change.as_dict() for name, change in self.changes.items()}
        return {"changes": changes, "at": [self.before.as_dict(), self.after.as_dict()]}


@frozen
class RunDifference:
    """What two runs differ in: once the first had ended, and once the second had."""

    before: PastRun
    after: PastRun
    values: Mapping[str, Change] = field(repr=False)
    scripts: Mapping[str, Pair] = field(default_factory=dict)  # digests, by module and step
    versions: Mapping[str, Pair] = field(default_factory=dict)
    nodes: Mapping[str, Pair] = field(default_factory=dict)  # addresses

    def __bool__(self) -> bool:
        return bool(self.values or self.scripts or self.versions or self.nodes)

    def as_dict(self) -> dict[str, Any]:
        runs = {"a": self.before, "b": self.after}
        pairs = {"scripts": self.scripts, "versions": self.versions, "nodes": self.nodes}
        return {
            **{
                key: {"number": run.number, "run": run.run, "command": run.command}
                for key, run in runs.items()
            },
            "values": {name: change.as_dict() for name, change in self.values.items()},
            **{
                key: {n: {"from": old, "to": new} for n, (old, new) in of.items()}
                for key, of in pairs.items()
            },
        }


def compare_moments(environment: Environment, words: tuple[str, ...]) -> PastDifferences:
    """Return how the values differ at two moments, or at one and now; secrets are only said to have changed."""
    moments = [moment(environment, word) for word in words]
    before, after = moments if len(moments) == 2 else (moments[0], now(environment))
    return PastDifferences(before, after, _values(before.state, after.state))


def compare_runs(environment: Environment, a: str, b: str, strict: bool = False) -> RunDifference:
    """Return what two runs differ in; raises BadUsage for a word that names none.

    With `strict`, raises DifferencesFound, which carries the result, where there is anything.
    """
    runs = history(environment).runs
    if not runs:
        raise BadUsage(f"{environment.name} has not run anything yet.", "There is nothing to compare.")
    first, second = named(runs, a), named(runs, b)
    before, after = (end_of(environment, run).state for run in (first, second))
    result = RunDifference(
        first,
        second,
        _values(before, after),
        _pairs(_scripts(first), _scripts(second)),
        _pairs(_versions(first, before), _versions(second, after)),
        _pairs(dict(map(tuple, before.nodes)), dict(map(tuple, after.nodes))),
    )
    if strict and result:
        differ = DifferencesFound(f"Run {first.number} and run {second.number} are not the same.")
        raise differ.with_result(result)
    return result


def rows_of(changes: Mapping[str, Change]) -> list[tuple[str, ...]]:
    """Return a row for each value that changed; what is hidden is only said to have."""
    return [
        (name, "", "changed")
        if change.hidden
        else (name, *("-" if one is None else visible(one) for one in (change.before, change.after)))
        for name, change in changes.items()
    ]


def _values(before: ClusterState, after: ClusterState) -> dict[str, Change]:
    a, b = before.values, after.values
    old, new = a.all, b.all
    return {
        name: Change(None, None, True)
        if is_hidden(old.get(name)) or is_hidden(new.get(name))
        else Change(old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if not a.is_same(name, b)
    }


def _pairs(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Pair]:
    names = dict.fromkeys([*before, *after])
    return {n: (before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)}


def _scripts(run: PastRun) -> dict[str, str]:
    """Return the digest of each script that a run started, and of what those of its module share."""
    found = {}
    for step in run.begun:
        found[step.key] = step.sha256
        if step.shared:
            found[f"{step.module}, what its scripts share"] = step.shared
    return found


def _versions(run: PastRun, state: ClusterState) -> dict[str, str]:
    started = run.started
    found = {"rigger": started.rigger, "platform": run.after, "configured": started.version}
    found |= {"commit": started.commit + (" with changed files" if started.dirty else "")}
    for role, told in (("provider", started.provider_is), ("platform", started.platform_is)):
        name = f"module {getattr(started, role)}"
        found[name] = told.get("version", "")
        found[f"{name}, its files"] = told.get("sha256", "")
    for addon in state.modules.modules.values():
        found[f"module {addon.name}"] = addon.version
        found[f"module {addon.name}, its files"] = addon.sha256
    return {name: value for name, value in found.items() if value}
