"""Files that git-lfs keeps elsewhere: git itself has pointers to them. Seen, and put in their places, without git-lfs."""

from __future__ import annotations

import os
import re

from rigger import text
from rigger.errors import NotReady
from rigger.files import temporary_folder
from rigger.git import runner as git_runner
from rigger.git.gitlinks import is_here, submodules
from rigger.git.runner import Repository, saying_what_failed
from rigger.sha256 import digest_of_file
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST = 1024  # bytes of a pointer, by its specification
_POINTER = rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\nsize ([0-9]+)\n(?:.*\n)*"
_KEPT = ":(top,attr:filter=lfs)"  # what .gitattributes, or the checkout's info/attributes, say of a file


@frozen
class Pointer:
    """A file as git has it, and by which hash git-lfs knows the file itself."""

    path: str
    entry: str  # of the index: mode and blob
    text: bytes
    oid: str
    size: int

    def stands_in(self, folder: str) -> bool:
        """Return whether the pointer itself lies where the file should."""
        return _beginning(os.path.join(folder, self.path)) == self.text

    def is_whole_in(self, folder: str) -> bool:
        """Return whether the very file lies in its place."""
        path = os.path.join(folder, self.path)
        if os.path.islink(path) or not os.path.isfile(path) or os.path.getsize(path) != self.size:
            return False
        return digest_of_file(path) == self.oid


def lacking(folder: str) -> list[str]:
    """Return the files of a checkout, and of its submodules, in whose places pointers lie."""
    with saying_what_failed(f"{folder} cannot be looked at"):
        return [*_lacking(folder, "")]


def _lacking(folder: str, above: str) -> Iterator[str]:
    with git_runner.opened(folder) as git:
        yield from (f"{above}{p.path}" for p in pointers(git) if p.stands_in(folder))
        inner = [s.path for s in submodules(git) if is_here(folder, s)]
    for path in inner:
        yield from _lacking(os.path.join(folder, path), f"{above}{path}/")


def names(folder: str) -> list[str]:
    """Return the files of a checkout that git-lfs keeps."""
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        return [pointer.path for pointer in pointers(git)]


def pointers(git: Repository, commit: str = "") -> list[Pointer]:
    """Return what git-lfs keeps of a commit, or of the index."""
    if not commit:
        return _pointers(git, git("ls-files", "-s", "-z", "--full-name", "--", _KEPT))
    with temporary_folder("rigger-git-") as aside:
        environ = {"GIT_INDEX_FILE": os.path.join(aside, "index"), "GIT_WORK_TREE": aside}
        there = replace(git, environ={**git.environ, **environ})  # whose attributes are those of the commit
        there("read-tree", commit)
        return _pointers(git, there("ls-files", "-s", "-z", "--full-name", "--", _KEPT))


def _pointers(git: Repository, listed: bytes) -> list[Pointer]:
    lines = [line.split("\t", 1) for line in listed.decode("utf-8", "surrogateescape").split("\0") if line]
    entries = {path: about.rpartition(" ")[0] for about, path in lines if about.startswith("100")}
    blobs = {path: entry.split()[1] for path, entry in entries.items()}
    found = _small(git, {*blobs.values()})
    matches = ((path, found.get(blob, b"")) for path, blob in blobs.items())
    return [
        Pointer(path, entries[path], content, match[1].decode(), int(match[2]))
        for path, content in matches
        if (match := re.fullmatch(_POINTER, content))
    ]


def _small(git: Repository, blobs: Iterable[str]) -> dict[str, bytes]:
    """Return the contents of those blobs that can be pointers."""
    names = "".join(f"{blob}\n" for blob in blobs).encode()
    if not names:
        return {}
    sizes = (line.split() for line in git("cat-file", "--batch-check", input=names).decode().splitlines())
    small = [words[0] for words in sizes if words[1] == "blob" and int(words[2]) <= LONGEST]
    return {blob: git("cat-file", "blob", blob) for blob in small}


def _beginning(path: str) -> bytes:
    if os.path.islink(path) or not os.path.isfile(path):
        return b""
    with open(path, "rb") as file:
        return file.read(LONGEST + 1)


# ---- brought to another commit ----------------------------------------------------------------------------


def require_fetched(folder: str, commit: str) -> None:
    """Raise NotReady, before anything is changed, where files of a commit are neither here nor with git-lfs."""
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        missing = [
            p.path
            for p in pointers(git, commit)
            if not (os.path.isfile(_store(git, p)) or p.is_whole_in(folder))
        ]
    if missing:
        raise NotReady(
            f"git-lfs has not fetched files of {commit[:12]} to {folder}: {text.listed(missing)}.",
            f'Fetch them: "git -C {folder} lfs fetch origin {commit}", once git-lfs is installed; then try again.',
        )


def set_aside(git: Repository) -> None:
    """Put pointers in the places of the files, so that git sees no changes; git-lfs' store keeps the files."""
    import shutil

    whole = [pointer for pointer in pointers(git) if pointer.is_whole_in(git.folder)]
    for pointer in whole:
        path, kept = os.path.join(git.folder, pointer.path), _store(git, pointer)
        if not os.path.isfile(kept):
            os.makedirs(os.path.dirname(kept), exist_ok=True)
            shutil.copyfile(path, f"{kept}.new")
            os.replace(f"{kept}.new", kept)
        _write(path, pointer.text)
    _look_again(git, whole)


def put_in_place(git: Repository) -> None:
    """Put the files that git-lfs has in the places of their pointers."""
    import shutil

    placed = []
    for pointer in pointers(git):
        kept, path = _store(git, pointer), os.path.join(git.folder, pointer.path)
        if pointer.stands_in(git.folder) and os.path.isfile(kept) and os.path.getsize(kept) == pointer.size:
            shutil.copyfile(kept, f"{path}.rigger-new")
            shutil.copymode(path, f"{path}.rigger-new")
            os.replace(f"{path}.rigger-new", path)
            placed.append(pointer)
    _look_again(git, placed)


def _look_again(git: Repository, changed: list[Pointer]) -> None:
    """Have git forget what it knows of files, which it would take for changed by their size alone."""
    lines = b"".join(f"{p.entry}\t{p.path}\0".encode("utf-8", "surrogateescape") for p in changed)
    if lines:
        git("update-index", "-z", "--index-info", input=lines)


def _store(git: Repository, pointer: Pointer) -> str:
    return os.path.join(git.common, "lfs", "objects", pointer.oid[:2], pointer.oid[2:4], pointer.oid)


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
