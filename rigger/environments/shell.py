"""What a shell that works with an environment has: where it lies, and its programs on PATH."""

from __future__ import annotations

import os

from rigger import text
from rigger.envfile.names import SHELL_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
        # Files of older riggers have all of PATH, and say what of it was the shell's.
        written = values.get("PATH", "").removesuffix(values.get("ORIGINAL_PATH", ""))
        saved = [folder for folder in written.split(os.pathsep) if folder]
        return list(dict.fromkeys([self.bin_dir, *(folder for folder in saved if self.owns(folder))]))

    def owns(self, folder: str) -> bool:
        """Return whether a folder lies in this environment, links and dots resolved."""
        root = os.path.realpath(self.path)
        return os.path.isabs(folder) and os.path.realpath(folder).startswith(root + os.sep)

    def original_path(self) -> str:
        """Return the PATH of this process without the folders of any environment: another's vars may be sourced."""
        return original_path(os.path.dirname(self.path))

    def vars(self, vars: Mapping[str, str], others: Iterable[str] = ()) -> dict[str, str]:
        """Return what a shell that works with this environment should have: the vars, PATH, and the names of them all.

        `others` are names of what it has of the environment already.
        """
        original = self.original_path()
        path = os.pathsep.join([*self.own_folders(), original])
        return {
            **vars,
            "ORIGINAL_PATH": original,
            "PATH": path,
            SHELL_NAMES: " ".join(sorted({*vars, *others})),
        }

    def file(self, vars: Mapping[str, str], folders: list[str] | None = None) -> dict[str, str]:
        """Return what the vars file says: the vars, and in PATH the folders that a shell gains in front of its own."""
        return {**vars, "PATH": os.pathsep.join(folders or self.own_folders())}


def original_path(environments_dir: str) -> str:
    """Return the PATH of this process without the folders of the environments that lie in a folder."""
    return os.pathsep.join(f for f in _path() if not f.startswith(environments_dir + os.sep))


def environments_on_path(environments_dir: str) -> list[str]:
    """Return the names of the environments whose folders the PATH of this process has."""
    inside = [f[len(environments_dir) + 1 :] for f in _path() if f.startswith(environments_dir + os.sep)]
    return list(dict.fromkeys(folder.partition(os.sep)[0] for folder in inside))


def _path() -> list[str]:
    return text.decode(os.environb.get(b"PATH", os.fsencode(os.defpath))).split(os.pathsep)
