"""What of a bundle would run here, or would have this machine run something, and so has to be agreed to."""

from __future__ import annotations

import os

from rigger.environments.environment import ATTESTATIONS
from rigger.modules.own_files import KEPT, is_known_data
from rigger.sha256 import digest_of_file
from rigger.terraform import brought
from rigger.terraform.workspace import BACKEND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.bundles.opened import OpenedBundle
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module

STATE = "modules"  # a folder for each module's own state
BIN = "bin"  # rigger's own folder on PATH, which never travels
PROGRAMS = ("modules", "runs", "tests", ATTESTATIONS)  # where nothing was agreed to by its name
ENDS = (".sh", ".bash", ".zsh", ".py", ".pl", ".rb", ".js", ".so")  # what runs or is loaded without a run bit


def programs(bundle: OpenedBundle, target: Environment) -> list[tuple[str, str]]:
    """Return the SHA-256 and name of every program that a bundle brings along, without those that the target has.

    What will lie beside scripts may be run by them whatever its mode: only known data may come unseen.
    """
    places = dict.fromkeys([*PROGRAMS, *path_folders(bundle, target)])
    paths = sorted({path for place in places for path in _files(bundle.file(place))})
    found = []
    for path in paths:
        name = os.path.relpath(path, bundle.folder)
        beside = _is_beside_scripts(name) and not is_known_data(name)
        if (beside or is_program(path)) and not _same(path, target.file(name)):
            found.append((digest_of_file(path), name))
    return found


def path_folders(bundle: OpenedBundle, target: Environment) -> list[str]:
    """Return the folders that a bundle puts on PATH, without rigger's own and those that are on the target's."""
    here = [os.path.relpath(folder, target.path) for folder in target.shell.own_folders()]
    folders = [os.path.normpath(folder) for folder in bundle.fields["path_folders"]]
    return [folder for folder in folders if folder not in (BIN, *here)]


def _is_beside_scripts(name: str) -> bool:
    return name.split(os.sep)[::2][:2] == [STATE, KEPT]


def is_program(path: str) -> bool:
    """Return whether a file can be run, or looks as if something would run it."""
    if os.access(path, os.X_OK) or path.endswith(ENDS):
        return True
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


def terraform_files(bundle: OpenedBundle, modules: tuple[Module, ...]) -> tuple[list[str], list[str]]:
    """Return the files among the modules' state that Terraform would load: those that rigger lays out anew, and others.

    Those that rigger lays out come from the module's folder, whatever is in the bundle.
    """
    laid_out: list[str] = []
    others: list[str] = []
    for name in brought.loaded_files(bundle.file(STATE)):
        if _is_beside_scripts(os.path.join(STATE, name)):
            continue  # it is shown among the programs
        of_terraform = any(
            name.startswith(f"{module.name}{os.sep}") for module in modules if module.has_terraform
        )
        (laid_out if of_terraform else others).append(os.path.join(STATE, name))
    return laid_out, others


def is_known_file(name: str, modules: tuple[Module, ...]) -> bool:
    """Return whether a file among the modules' state is one that rigger lays out again."""
    own = (
        os.path.join(module.folder, os.path.relpath(name, os.path.join(STATE, module.name)))
        for module in modules
    )
    return os.path.basename(name) == BACKEND or any(os.path.isfile(path) for path in own)


def plugins(bundle: OpenedBundle, modules: tuple[Module, ...]) -> list[str]:
    """Return the plugins of Terraform that a bundle's states need, and that no module names."""
    folders = {m.name: m.folder for m in modules if m.has_terraform}
    needed = (brought.foreign_plugins(bundle.file(STATE, name), folder) for name, folder in folders.items())
    return sorted(set().union(*needed))


def _files(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in names)


def _same(path: str, other: str) -> bool:
    """Return whether the target has that very program already."""
    return (
        os.path.isfile(other)
        and os.access(other, os.X_OK) >= os.access(path, os.X_OK)
        and digest_of_file(path) == digest_of_file(other)
    )
