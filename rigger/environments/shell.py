"""What a shell that works with an environment has: where it lies, and its programs on PATH."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rigger import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.store import Store


class Shell:
    """The variables by which scripts and shells know an environment; `path` is its folder."""

    def __init__(self, name: str, path: str, home: str, store: Store):
        self.name = name
        self.path = path
        self.home = home
        self.store = store
        self.bin_dir = os.path.join(path, "bin")

    def places(self) -> dict[str, str]:
        """Return the variables that say where this environment lies; scripts and computed vars know them."""
        return {
            "RIGGER_HOME": self.home,
            "RIGGER_ENVIRONMENT": self.name,
            "RIGGER_ENVIRONMENT_DIR": self.path,
            "RIGGER_VARS_FILE": os.path.join(self.path, "vars"),
            "RIGGER_BIN_DIR": self.bin_dir,
        }

    def own_folders(self) -> list[str]:
        """Return the folders of this environment that its vars put on PATH, its `bin` first."""
        values = self.store.vars()
        written = values.get("PATH", "").removesuffix(values.get("ORIGINAL_PATH", ""))
        saved = [folder for folder in written.split(os.pathsep) if folder]
        return list(dict.fromkeys([self.bin_dir, *(folder for folder in saved if self.owns(folder))]))

    def owns(self, folder: str) -> bool:
        """Return whether a folder lies in this environment, links and dots resolved."""
        root = os.path.realpath(self.path)
        return os.path.isabs(folder) and os.path.realpath(folder).startswith(root + os.sep)

    def original_path(self) -> str:
        """Return the PATH of this process without the folders of any environment: another's vars may be sourced."""
        environments = os.path.dirname(self.path) + os.sep
        folders = text.decode(os.environb.get(b"PATH", os.fsencode(os.defpath))).split(os.pathsep)
        return os.pathsep.join(folder for folder in folders if not folder.startswith(environments))

    def vars(self, vars: Mapping[str, str], folders: list[str] | None = None) -> dict[str, str]:
        """Return what a shell that works with this environment should have: the vars and PATH."""
        original = self.original_path()
        path = os.pathsep.join([*(folders or self.own_folders()), original])
        return {**vars, "ORIGINAL_PATH": original, "PATH": path}
