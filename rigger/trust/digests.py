"""One SHA-256 for all that can run in a folder."""

from __future__ import annotations

import os

from rigger.later import later
from rigger.modules.scripts import content_digest
from rigger.sha256 import digest_of_file, sha256

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
    for name, is_link in _files(folder, ""):
        if name in without:
            continue
        path = os.path.join(folder, name)
        content = content_digest(path) if is_link else digest_of_file(path)
        runs = "x" if os.access(path, os.X_OK) else "-"
        # As sha256sum writes names: one with a line break in it could pass for another file.
        shown = os.fsencode(name).replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
        total.update(f"{content} {runs} ".encode() + shown + b"\n")
    return total.hexdigest()


def agreed_digest(folder: str) -> str:
    """Return what agreement to a module's scripts stands for: its digest, with what its .tf files take from beside it."""
    outside = beside.digest_beside(folder)
    return sha256(f"{digest(folder)} {outside}".encode()).hexdigest() if outside else digest(folder)


def _files(folder: str, under: str) -> Iterator[tuple[str, bool]]:
    """Return the files and links of a folder by their paths in it, in order, and whether each is a link.

    `under` begins the paths, and ends in a slash.
    """
    with os.scandir(os.path.join(folder, under)) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        name, is_link = under + entry.name, entry.is_symlink()
        if entry.name in NOT_SCRIPTS and not is_link:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(folder, f"{name}{os.sep}")
        elif is_link or entry.is_file():
            yield name, is_link


def lies_in(path: str, folder: str) -> bool:
    """Return whether a path leads into a folder, as it is written or with its links followed."""
    written = os.path.abspath(path).startswith(os.path.abspath(folder) + os.sep)
    return written or os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep)
