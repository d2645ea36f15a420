"""One SHA-256 for all that can run in a folder."""

from __future__ import annotations

import os

from rigger.later import later
from rigger.modules.scripts import content_digest
from rigger.sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rigger.terraform import beside
else:
    beside = later("rigger.terraform.beside")

NOT_SCRIPTS = frozenset({"__pycache__", ".git"})


def digest(folder: str, without: Collection[str] = ()) -> str:
    """Return a SHA-256 over all files and links of a module, their names and run bits, in hex.

    `without` are relative paths of files that do not count: what scripts wrote beside them.
    """
    total = sha256()
    for path in _files(folder):
        if without and os.path.relpath(path, folder) in without:
            continue
        content = content_digest(path)
        runs = "x" if os.access(path, os.X_OK) else "-"
        name = os.fsencode(os.path.relpath(path, folder))
        # As sha256sum writes names: one with a line break in it could pass for another file.
        name = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
        total.update(f"{content} {runs} ".encode() + name + b"\n")
    return total.hexdigest()


def agreed_digest(folder: str) -> str:
    """Return what agreement to a module's scripts stands for: its digest, with what its .tf files take from beside it."""
    outside = beside.digest_beside(folder)
    return sha256(f"{digest(folder)} {outside}".encode()).hexdigest() if outside else digest(folder)


def _files(folder: str) -> Iterator[str]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name in NOT_SCRIPTS and not entry.is_symlink():
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        elif entry.is_symlink() or entry.is_file():
            yield entry.path


def lies_in(path: str, folder: str) -> bool:
    """Return whether a path leads into a folder, as it is written or with its links followed."""
    written = os.path.abspath(path).startswith(os.path.abspath(folder) + os.sep)
    return written or os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep)
