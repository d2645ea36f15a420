"""A copy of a module to be tried: what its scripts wrote into their own folder before is a live cluster's."""

from __future__ import annotations

import os
import shutil

from rigger.conformance.subject import NOT_READ, load
from rigger.git import inspect as git_inspect
from rigger.git.place import around
from rigger.modules import own_files
from rigger.modules.contract import MANIFEST
from rigger.modules.interface1 import PLACE, is_provider
from rigger.modules.scripts import SHELLS, interpreter_name
from rigger.modules.search import PLATFORM_PLACES
from rigger.runs.own_folder import known_files
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rigger.environments.home import Home
    from rigger.modules.model import Module

SCRIPTS = (".sh", ".bash", ".py", ".tf", ".tf.json", ".tmpl", ".tpl")


def copier(home: Home, module: Module) -> Callable[[str], Module]:
    """Return what makes a copy of a module below a folder, without the state that is in it, and returns the copy.

    In a git repository the whole of it is copied, as git tracks it, where scripts reach for their neighbours: those of
    interface 1 do, and those of a platform that lies in its own repository.
    """
    keeps = module.contract.keeps_files_in_folder
    live = known_files(home, module) if keeps else frozenset()

    def copy(folder: str) -> Module:
        own = os.path.realpath(module.folder)
        repository = _repository_of(module, own)
        top, names = _chosen(own, live) if keeps else _all_of(own, repository)
        target = os.path.join(folder, os.path.basename(top) or "repository")
        for name in names:
            _copy(os.path.join(top, name), os.path.join(target, name))
        within = os.path.normpath(os.path.join(target, os.path.relpath(own, top)))
        return replace(module, folder=within, checkout=target if repository else "")

    return copy


def copied_path(home: Home, path: str, folder: str) -> str:
    """Return a provider's path, of a copy below a folder where it has to be one; a name stays a name."""
    whole = os.path.abspath(os.path.expanduser(path))
    if os.sep not in path or not (is_provider(whole) or os.path.isfile(os.path.join(whole, MANIFEST))):
        return path
    return copier(home, load(whole))(os.path.join(folder, "provider")).folder


def _repository_of(module: Module, folder: str) -> str:
    """Return the repository that a platform brings itself, nothing where it lies in none or in somebody else's."""
    top = around(folder) if module.role == "platform" else ""
    places = [os.path.normpath(os.path.join(top, place)) for place in PLATFORM_PLACES]
    return top if top and folder in places else ""


def _all_of(folder: str, repository: str) -> tuple[str, list[str]]:
    """Return the top of what is copied of a module that writes nothing into its folder, and the files of it."""
    own = [os.path.join(folder, name) for name in own_files.files(folder)]
    top = repository or folder
    tracked = git_inspect.tracked(top, top, links=True) if repository else []
    names = {os.path.relpath(path, top) for path in (*own, *tracked)}
    return top, sorted(name for name in names if not NOT_READ & {*name.split(os.sep)})


def _chosen(folder: str, live: frozenset[str]) -> tuple[str, list[str]]:
    """Return the top of what is copied, and the files of it."""
    repository = around(folder)
    tracked = git_inspect.tracked(repository, folder, links=True) if repository else []
    if tracked:
        names = [
            os.path.relpath(path, repository) for path in git_inspect.tracked(repository, repository, True)
        ]
        inner = [os.path.relpath(path, folder) for path in git_inspect.untracked(repository, folder)]
        new = [name for name in inner if _is_script(os.path.join(folder, name))]
    else:
        parent = os.path.dirname(folder)
        repository = parent if os.path.basename(parent) == PLACE else folder
        names, new = [os.path.relpath(path, repository) for path in _files(repository)], []
    within = os.path.relpath(folder, repository)
    all_names = {*names, *(os.path.normpath(os.path.join(within, name)) for name in new)}
    return repository, sorted(name for name in all_names if not _is_live(name, within, live))


def _files(folder: str) -> Iterator[str]:
    return (os.path.join(folder, name) for name in own_files.files(folder))


def _is_live(name: str, within: str, live: frozenset[str]) -> bool:
    """Return whether a file tells what exists: one that an environment keeps, or Terraform's."""
    parts = name.split(os.sep)
    return os.path.relpath(name, within) in live or ".terraform" in parts or ".tfstate" in parts[-1]


def _is_script(path: str) -> bool:
    """Return whether a file that git does not track yet is a new part of the module, and not what a step left."""
    if not os.path.isfile(path) or os.path.islink(path):
        return False
    with open(path, "rb") as file:
        first = file.readline(256).decode("utf-8", "replace")
    runs = interpreter_name(first) in SHELLS or os.access(path, os.X_OK)
    return runs or path.endswith(SCRIPTS)


def _copy(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
    elif os.path.isfile(source):
        shutil.copy2(source, target)
