"""Which environments there are, and what each describes."""

from __future__ import annotations

from rigger.configuration.identity import require_modules_named
from rigger.configuration.version import version_change
from rigger.environments.state import state_of
from rigger.errors import RiggerError
from rigger.operations.state_word import state_word
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.audit.state import ClusterState
    from rigger.environments.environment import Environment
    from rigger.environments.home import Home

UNKNOWN = "?"  # what is said of an environment whose files cannot be used


@frozen
class Listed:
    """An environment in the list; `problem` says why its files cannot be used, if they cannot."""

    name: str
    current: bool
    path: str
    platform: str = UNKNOWN
    version: str = UNKNOWN  # that is configured
    deployed_version: str = ""  # that runs; nothing where none does
    version_change: bool = False  # whether they differ
    provider: str = UNKNOWN
    type: str = ""
    nodes: int | None = None
    state: str = UNKNOWN  # one word, as `rigger status` says it
    last_run: Mapping[str, Any] | None = None  # its number, run, command, time and outcome
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        row = {"name": self.name, "current": self.current, "path": self.path}
        modules = {
            "platform": self.platform,
            "configured_version": self.version,
            "provider": self.provider,
        }
        if self.problem:
            return {**row, **modules, "nodes": UNKNOWN, "problem": self.problem}
        modules["deployed_version"] = self.deployed_version
        state = {"state": self.state, "last_run": self.last_run}
        return {**row, **modules, "type": self.type, "nodes": self.nodes, **state}


@frozen
class Environments:
    """All environments of a home, sorted by name."""

    listed: tuple[Listed, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"environments": [environment.as_dict() for environment in self.listed]}


def environments(home: Home) -> Environments:
    """Return every environment of a home, also those whose files cannot be used."""
    current = home.current_name()
    return Environments(tuple(_listed(home.at(name), name == current) for name in home.names()))


def _listed(environment: Environment, current: bool) -> Listed:
    name, path = environment.name, environment.path
    try:
        vars = environment.vars()
        require_modules_named(environment, vars)
        nodes = len(environment.nodes())
        state = state_of(environment)
        last = _last_run(environment, state)
        change = version_change(environment, vars)
    except RiggerError as problem:
        return Listed(name, current, path, problem=f"{problem.message} {problem.next_step}".rstrip())
    values = {key: vars.get(key.upper(), "") for key in ("platform", "version", "provider", "type")}
    running = state.versions.running
    return Listed(
        name,
        current,
        path,
        **values,
        deployed_version=running.version if running else "",
        version_change=bool(change),
        nodes=nodes,
        state=state_word(state, last["outcome"] if last else ""),
        last_run=last,
    )


def _last_run(environment: Environment, state: ClusterState) -> Mapping[str, Any] | None:
    run = state.runs.last
    if run is None:
        return None
    told = {key: getattr(run.started, key) for key in ("run", "command", "time")}
    return {"number": run.number, **told, "outcome": run.outcome(environment.lock.busy_since())}
