"""What the scripts of a module share: one SHA-256 for the files that all of them may use."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from rigger.git import inspect as git_inspect
from rigger.modules.contract import MANIFEST
from rigger.modules.model import Module
from rigger.modules.scripts import script_digest


def shared_digest(module: Module) -> str:
    """Return a SHA-256 over the files that a module's scripts share: all but the scripts, tests and manifest.

    In a git repository, those that git tracks: what a build leaves there changes nothing. A module that is the whole
    repository shares nothing, as the repository is full of other things.
    """
    digest = hashlib.sha256()
    own = {
        *module.contract.not_shared,
        MANIFEST,
        "README",
        "README.md",
        "README.rst",
        "__init__.py",
        "__pycache__",
        "tests",
        ".git",
    }
    for path in sorted(_shared_files(module, own)):
        name = os.path.relpath(path, module.folder)
        if os.sep not in name and os.access(path, os.X_OK):
            continue  # a verb's script counts for that verb alone
        digest.update(os.fsencode(name) + b"\0" + script_digest(path).encode() + b"\n")
    return digest.hexdigest()


def _shared_files(module: Module, without: set[str]) -> Iterator[str]:
    root = os.path.realpath(module.checkout)
    if not module.checkout or not os.path.exists(os.path.join(root, ".git")):
        yield from _files(module.folder, without)
        return
    folder = os.path.realpath(module.folder)
    for path in git_inspect.tracked(root, folder) if folder != root else ():
        if without.isdisjoint(os.path.relpath(path, folder).split(os.sep)):
            yield os.path.join(module.folder, os.path.relpath(path, folder))


def _files(folder: str, without: set[str]) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in without or entry.is_symlink():
                continue
            if entry.is_dir():
                yield from _files(entry.path, without)
            elif entry.is_file():
                yield entry.path
