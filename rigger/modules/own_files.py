"""What scripts that may write into their own folder have written there: which files count, and which can be made again."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from rigger.git.place import around
from rigger.later import later
from rigger.modules.contract import MANIFEST
from rigger.modules.interface1 import FILES
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from rigger.git import inspect as git_inspect
else:
    git_inspect = later("rigger.git.inspect")

KEPT = "own-folder"  # in a module's state: the copies of what its scripts wrote
RECORD = f"{KEPT}.json"  # beside it: what they are

NEVER = FILES | {MANIFEST}  # what says what the module is: never state, whoever wrote it
SKIPPED = frozenset({".git", "__pycache__"})  # what no bundle holds either

# What `terraform init` downloads: large, programs of others, and made again from the lock file. It is kept on this
# machine, for a clone that is made anew, and never travels.
REMADE = frozenset({"providers", "plugins", "modules"})

# Files that tell Terraform what exists, and run nothing. Whatever else comes in a bundle is shown before it may run.
KNOWN_DATA = (".tfstate", ".tfstate.backup")


@frozen
class Found:
    """The files of a module's folder: what is the module's own, and what its scripts may have written; relative paths."""

    own: frozenset[str]
    written: tuple[str, ...]
    by_git: bool  # whether git told which are which


def find(folder: str, own: Collection[str]) -> Found:
    """Return what lies in a module's folder: its own is what git tracks, or `own` where git tracks nothing of it.

    Raises NotReady where git cannot tell.
    """
    top = around(folder)
    tracked = git_inspect.tracked(top, folder, links=True) if top else []
    if top and tracked:
        real = os.path.realpath(folder)
        names = _below(folder, [os.path.relpath(path, real) for path in git_inspect.untracked(top, folder)])
        return Found(frozenset(os.path.relpath(path, real) for path in tracked), _kept(folder, names), True)
    names = (name for name in files(folder) if name not in own)
    return Found(frozenset(own), _kept(folder, names), False)


def find_changed(folder: str, own: Mapping[str, int], known: Collection[str] = ()) -> Found:
    """Return the same, with those of the module's own files among the written ones that steps changed.

    These are `known`, and those that were changed at another time than `own` says. Raises NotReady.
    """
    found = find(folder, own)
    names = (name for name in found.own if name in known or own.get(name) != stamp(folder, name))
    changed = _kept(folder, names)
    return Found(found.own - {*changed}, tuple(sorted({*found.written, *changed})), found.by_git)


def stamps(folder: str, names: Iterable[str]) -> dict[str, int]:
    """Return when each of the files was changed, in nanoseconds."""
    return {name: stamp(folder, name) for name in names}


def stamp(folder: str, name: str) -> int:
    try:
        return os.lstat(os.path.join(folder, name)).st_mtime_ns
    except OSError:
        return -1


def files(folder: str, under: str = "") -> Iterator[str]:
    """Return the files and links below a folder, by their relative paths; what links lead to is not looked into."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(os.path.join(folder, under)) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = os.path.join(under, entry.name)
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in SKIPPED:
                    yield from files(folder, name)
            else:
                yield name


def is_remade(name: str) -> bool:
    """Return whether a file is one that Terraform downloads again."""
    parts = name.split(os.sep)
    return any(a == ".terraform" and b in REMADE for a, b in zip(parts, parts[1:], strict=False))


def is_known_data(name: str) -> bool:
    """Return whether a file is one that says what exists and nothing else."""
    return name.endswith(KNOWN_DATA) and ".terraform" not in name.split(os.sep)


def is_state(name: str) -> bool:
    """Return whether a file of that name can be what scripts wrote: none that says what the module is."""
    return name not in NEVER and SKIPPED.isdisjoint(name.split(os.sep))


def leads_out(folder: str, name: str) -> bool:
    """Return whether a path leads out of the folder by way of links."""
    place = os.path.realpath(os.path.dirname(os.path.join(folder, name)))
    return not f"{place}/".startswith(f"{os.path.realpath(folder)}/")


def _below(folder: str, names: list[str]) -> Iterator[str]:
    """Return the files of a list, and those below what is a folder in it."""
    for name in names:
        path = os.path.join(folder, name)
        if os.path.isdir(path) and not os.path.islink(path):
            yield from files(folder, name)
        else:
            yield name


def _kept(folder: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if is_state(name) and _is_plain(folder, name)))


def _is_plain(folder: str, name: str) -> bool:
    """Return whether a path is an ordinary file, or a link that does not lead out of the folder."""
    path = os.path.join(folder, name)
    if not os.path.islink(path):
        return os.path.lexists(path) and stat.S_ISREG(os.lstat(path).st_mode)
    if is_remade(name):  # a cache of plugins
        return True
    leads_to, root = os.path.realpath(path), os.path.realpath(folder)
    return not os.path.isabs(os.readlink(path)) and leads_to.startswith(root + os.sep)
