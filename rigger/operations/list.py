"""Which environments there are, and what each describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rigger.configuration.identity import require_modules_named
from rigger.configuration.version import version_change
from rigger.environments.state import state_of
from rigger.errors import RiggerError
from rigger.values import frozen

if TYPE_CHECKING:
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
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        row = {"name": self.name, "current": self.current, "path": self.path}
        modules = {"platform": self.platform, "version": self.version, "provider": self.provider}
        if self.problem:
            return {**row, **modules, "nodes": UNKNOWN, "problem": self.problem}
        modules["deployed_version"] = self.deployed_version
        return {**row, **modules, "type": self.type, "nodes": self.nodes}


@frozen
class Environments:
    """All environments of a home, sorted by name."""

    listed: tuple[Listed, ...]

    def as_dict(self) -> list[dict[str, Any]]:
        return [environment.as_dict() for environment in self.listed]


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
        running = state_of(environment).versions.running
        change = version_change(environment, vars)
    except RiggerError as problem:
        return Listed(name, current, path, problem=f"{problem.message} {problem.next_step}".rstrip())
    values = {key: vars.get(key.upper(), "") for key in ("platform", "version", "provider", "type")}
    deployed = running.version if running else ""
    return Listed(
        name, current, path, **values, deployed_version=deployed, version_change=bool(change), nodes=nodes
    )
