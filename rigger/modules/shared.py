"""What the scripts of a module share: one SHA-256 for the files that all of them may use."""

from __future__ import annotations

import os

from rigger.later import later
from rigger.modules.contract import MANIFEST
from rigger.modules.scripts import content_digest
from rigger.sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.git import inspect as git_inspect
    from rigger.modules.model import Module
else:
    git_inspect = later("rigger.git.inspect")

# Of a module's own folder alone: what lies deeper is for the scripts, whatever its name.
NOT_SHARED = frozenset({MANIFEST, "README", "README.md", "README.rst", "__init__.py", "tests"})
NO_SCRIPTS = frozenset({"__pycache__", ".git"})


def shared_digest(module: Module) -> str:
    """Return a SHA-256 over the files that a module's scripts share: all but the scripts, tests and manifest.

    In a git repository, those that git tracks: what a build leaves there changes nothing. A module that is the whole
    repository shares nothing, as the repository is full of other things.
    """
    digest = sha256()
    not_shared = NOT_SHARED | module.contract.not_shared
    for name in sorted(_files_of(module)):
        path = os.path.join(module.folder, name)
        top, *inner = name.split(os.sep)
        if top in not_shared or not inner and (name == module.costs or os.access(path, os.X_OK)):
            continue  # a verb's script counts for that verb alone, and a price for nothing that runs
        if inner and inner[-1] == "__init__.py" and not os.path.getsize(path):
            continue  # it only says that its folder is a package
        digest.update(os.fsencode(name) + b"\0" + content_digest(path).encode() + b"\n")
    return digest.hexdigest()


def _files_of(module: Module) -> Iterator[str]:
    """Return the files and links of a module by their paths in its folder."""
    root = os.path.realpath(module.checkout) if module.checkout else ""
    if not root or not os.path.exists(os.path.join(root, ".git")):
        yield from _files(module.folder)
        return
    folder = os.path.realpath(module.folder)
    for path in git_inspect.tracked(root, folder, links=True) if folder != root else ():
        name = os.path.relpath(path, folder)
        if NO_SCRIPTS.isdisjoint(name.split(os.sep)):
            yield name


def _files(folder: str, under: str = "") -> Iterator[str]:
    """Return the files and links in a folder; what a link leads to is not looked into. `under` ends in a slash."""
    with os.scandir(os.path.join(folder, under)) as entries:
        for entry in entries:
            if entry.name in NO_SCRIPTS and not entry.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(folder, f"{under}{entry.name}{os.sep}")
            elif entry.is_symlink() or entry.is_file():
                yield under + entry.name
