"""What a folder for Terraform has that came from somewhere else: files that it would load, plugins that it would fetch."""

from __future__ import annotations

import json
import os
import re

from rigger.terraform import hcl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTS = ("registry.terraform.io", "registry.opentofu.org")
USUAL = ("terraform.io/builtin/", *(f"{host}/hashicorp/" for host in HOSTS))


def loaded_files(folder: str) -> list[str]:
    """Return the files below a folder that Terraform loads wherever they lie, by their paths from there."""
    paths = (os.path.relpath(path, folder) for path in _files(folder))
    return sorted(path for path in paths if hcl.LOADED.fullmatch(os.path.basename(path)))


def foreign_plugins(folder: str, module: str) -> set[str]:
    """Return the plugins that states below a folder need, and that the files of a module do not name.

    Terraform fetches and runs what a state names. HashiCorp's own need not be named.
    """
    sources = hcl.plugin_sources(module)
    known = sources | {f"{host}/{source}" for host in HOSTS for source in sources}
    needed = {plugin for path in _files(folder) for plugin in _plugins(path)}
    return {plugin for plugin in needed - known if not plugin.startswith(USUAL)}


def _plugins(path: str) -> Iterator[str]:
    try:
        with open(path, "rb") as file:
            waiting = [json.load(file)]
    except (OSError, ValueError, RecursionError):
        return
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield from re.findall(r'provider\["([^"]+)"\]', item)
        elif isinstance(item, (dict, list)):
            waiting += item.values() if isinstance(item, dict) else item


def _files(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in names)
