"""An environment's values as lines that a shell evaluates, and what takes them back."""

from __future__ import annotations

import os
from contextlib import suppress

from rigger.envfile import file as envfile
from rigger.envfile import fish
from rigger.envfile.names import SHELL_NAMES, check_name
from rigger.envfile.path import no_proxy_line
from rigger.environments.shell import environments_on_path, original_path
from rigger.errors import InvalidConfig
from rigger.text import decode, encode
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rigger.environments.environment import Environment
    from rigger.environments.home import Home

POSIX, FISH = "posix", "fish"
SHELLS = (POSIX, FISH)  # POSIX are sh, bash, zsh and all others that read their language


@frozen
class ShellLines:
    """Lines for a shell, in bytes as values may hold any; their `repr` shows no secret."""

    data: bytes = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        return {"lines": decode(self.data)}


def shellinit(home: Home, environment: Environment, secrets: bool = False, shell: str = POSIX) -> ShellLines:
    """Return what sets an environment's vars in a shell, on request its secrets as well.

    What the shell still has of another environment, or of values that are gone or others now, is unset first. Secrets of
    this one that it was given before stay: they are not printed again.
    """
    values, hidden = environment.vars(), environment.secrets()
    if secrets:
        values |= hidden
    before = _names_in_shell(home)
    stay = {name for name in before & {*hidden} - {*values} if _has(name, hidden[name])}
    values = environment.shell.vars(values, stay)
    gone, addresses = before - {*values} - stay, ",".join(environment.addresses())
    if shell == FISH:
        return ShellLines(fish.unset(gone) + fish.render(values) + fish.no_proxy(addresses))
    return ShellLines(_unset(gone) + envfile.render(values) + encode(no_proxy_line(addresses)))


def _has(name: str, value: str) -> bool:
    """Return whether this process, and so its shell, has a variable of that value."""
    return os.environb.get(encode(name)) == encode(value)


def shell_reset(home: Home, name: str | None = None, shell: str = POSIX) -> ShellLines:
    """Return what unsets an environment's vars and secrets again, and gives PATH back.

    The shell itself knows what it has, so that this works for an environment too that is damaged or gone.
    """
    names = _names_in_shell(home)
    with suppress(InvalidConfig):
        names |= _names_of(home.get(name))
    names, path = {*names, "ORIGINAL_PATH", SHELL_NAMES}, {"PATH": original_path(home.environments_dir)}
    if shell == FISH:
        return ShellLines(fish.unset(names) + fish.render(path))
    return ShellLines(_unset(names) + envfile.render(path))


def _names_in_shell(home: Home) -> set[str]:
    """Return the names that this process, and so its shell, has of any environment."""
    said = os.environ.get(SHELL_NAMES, "").split()
    names = {name for name in said if check_name(name) is None}
    for other in {*environments_on_path(home.environments_dir)} & {*home.names()}:
        names |= _names_of(home.at(other))
    return names


def _names_of(environment: Environment) -> set[str]:
    """Return the names of an environment's values, of damaged files as far as they can be read."""
    names = set()
    for path in (environment.vars_file, environment.secrets_file):
        with suppress(OSError), open(path, "rb") as file:
            names |= envfile.names(file.read())
    return {name for name in names if check_name(name) is None}


def _unset(names: Iterable[str]) -> bytes:
    return b"".join(f"unset {name}\n".encode() for name in sorted(names))
