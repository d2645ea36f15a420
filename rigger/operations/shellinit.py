"""An environment's values as lines that a shell evaluates, and what takes them back."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from rigger.envfile import file as envfile
from rigger.text import decode
from rigger.values import frozen

if TYPE_CHECKING:
    from rigger.environments.environment import Environment


@frozen
class ShellLines:
    """Lines for a shell, in bytes as values may hold any; their `repr` shows no secret."""

    data: bytes = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        return {"lines": decode(self.data)}


def shellinit(environment: Environment, secrets: bool = False) -> ShellLines:
    """Return what sets an environment's vars in a shell, on request its secrets as well."""
    values = environment.shell.vars(environment.vars())
    if secrets:
        values.update(environment.secrets())
    return ShellLines(envfile.render(values))


def shell_reset(environment: Environment) -> ShellLines:
    """Return what unsets an environment's vars and secrets again, and gives PATH back."""
    names = sorted({*environment.vars(), *environment.secrets(), "ORIGINAL_PATH"})
    path = envfile.render({"PATH": environment.shell.original_path()})
    return ShellLines(b"".join(f"unset {name}\n".encode() for name in names) + path)
