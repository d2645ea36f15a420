"""List the modules of a role, and write new ones."""

from __future__ import annotations

import os

from rigger.errors import BadUsage, RiggerError
from rigger.modules import scaffold, search
from rigger.modules.scaffold import in_repository
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rigger.environments.home import Home
    from rigger.modules.model import Module
    from rigger.modules.search import FoundModule


@frozen
class Modules:
    """The modules of a role, also hidden and broken ones, and the checkout that some of them lie in."""

    role: str
    modules: tuple[FoundModule, ...]
    checkout: str | None

    def as_dict(self) -> dict[str, Any]:
        return {"modules": [_row(module) for module in self.modules]}


@frozen
class NewModule:
    """A module that was written, and the top of the git repository that it lies in; empty where it lies in none."""

    module: Module
    repository: str

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.module.name, "role": self.module.role, "folder": self.module.folder}


def modules(home: Home, role: str, name: str | None = None) -> Modules:
    """Return every module of a role: those of an environment's checkout, the person's own, and rigger's.

    `name` is that environment, without it the current one; it may be broken. Raises InvalidConfig where it is unknown.
    """
    checkout = _checkout(home, name)
    return Modules(role, tuple(search.list_modules(role, home.path, checkout)), checkout)


def new(role: str, name: str, path: str = "", tools: Sequence[str] = ()) -> NewModule:
    """Write a module that works into a folder, by default ./NAME; raises BadUsage where that cannot be.

    `tools`: what does its work, `terraform`, `ansible` or `container`; nothing for scripts alone.
    """
    if len(tools) > 1:
        raise BadUsage(f"--{' and --'.join(tools)} exclude each other.")
    module = scaffold.write(role, name, path or name, *tools)
    return NewModule(module, in_repository(module.folder))


def _checkout(home: Home, name: str | None) -> str | None:
    """Return the folder of the platform's repository in an environment, None where there is none."""
    name = name or home.current_name()
    if not name:
        return None
    environment = home.get(name)
    try:
        folder = environment.vars().get("CHECKOUT") or environment.file("checkout")
    except RiggerError:
        folder = environment.file("checkout")
    return folder if os.path.isdir(folder) else None


def _row(module: FoundModule) -> dict[str, Any]:
    return {
        "name": module.name,
        "interface": module.interface or None,
        "from": module.place,
        "folder": module.folder,
        "description": module.description,
        "shadowed": module.shadowed,
        "problem": module.problem,
    }
