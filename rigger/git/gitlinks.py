"""The submodules of a repository, as a commit or its index names them."""

from __future__ import annotations

import os
import re

from rigger.errors import Refused
from rigger.git import runner as git_runner
from rigger.git.errors import GitError
from rigger.git.runner import Repository
from rigger.git.urls import check_url, is_local, protocols
from rigger.values import frozen

_LINK = "160000"  # the mode of an entry that names a commit of another repository


@frozen
class Submodule:
    """Another repository's commit, which a folder of this one should have."""

    path: str
    commit: str
    name: str = ""  # as .gitmodules has it; nothing where it does not
    url: str = ""  # without it nobody can fetch it
    left_out: bool = False  # whether somebody decided to do without: update = none

    @property
    def wanted(self) -> bool:
        return bool(self.name and self.url) and not self.left_out


def submodules(git: Repository, commit: str = "") -> list[Submodule]:
    """Return the submodules of a commit, or of the index."""
    entries = git("ls-tree", "-r", "-z", "--full-tree", commit) if commit else git("ls-files", "-s", "-z")
    links = [_link(entry) for entry in _split(entries) if entry.startswith(_LINK)]
    if not links:
        return []
    names = {path: name for name, path in _settings_of(git, commit, "path").items()}
    urls, updates = _settings_of(git, commit, "url"), _settings_of(git, commit, "update")
    updates |= _values(_own(git), "update")
    return [
        Submodule(path, at, names.get(path, ""), urls.get(names.get(path, ""), ""), updates.get(names.get(path, "")) == "none")
        for path, at in links
    ]  # fmt: skip


def is_here(folder: str, submodule: Submodule) -> bool:
    """Return whether something of a submodule is checked out in its place."""
    return os.path.lexists(os.path.join(folder, submodule.path, ".git"))


def _link(entry: str) -> tuple[str, str]:
    about, path = entry.split("\t", 1)
    return path, next(word for word in about.split() if re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", word))


def _split(output: bytes) -> list[str]:
    return output.decode("utf-8", "surrogateescape").split("\0")


def _settings_of(git: Repository, commit: str, key: str) -> dict[str, str]:
    try:
        return _values(
            _split(git("config", f"--blob={commit}:.gitmodules", "--no-includes", "--list", "-z")), key
        )
    except GitError:
        return {}  # there is none


def _own(git: Repository) -> list[str]:
    path = os.path.join(git.common, "config")
    return _split(git_runner.git(None, "config", "--file", path, "--no-includes", "--list", "-z", bare=True))


def _values(entries: list[str], key: str) -> dict[str, str]:
    pattern = rf"(?s)submodule\.(.+)\.{key}\n(.*)"
    return {match[1]: match[2] for entry in entries if (match := re.fullmatch(pattern, entry))}


# ---- what of it git may be given --------------------------------------------------------------------------


def url_of(submodule: Submodule, parent: str) -> str:
    """Return a submodule's URL by the rules for repositories, a relative one as one beside its parent's.

    Raises Refused, also where a repository of another machine would have a folder of this one cloned.
    """
    url = submodule.url
    if url.startswith(("./", "../")):
        url = _beside(parent, url)
    elif is_local(url) and not url.startswith("/"):
        raise _refused(submodule, "its URL is a folder, but no absolute path")
    url = check_url(url)
    if protocols(url) not in ("https:ssh", protocols(parent)) and protocols(parent) != "file":
        raise _refused(submodule, "its URL leads to this machine, and the repository comes from another")
    return url


def _beside(parent: str, url: str) -> str:
    base = parent.rstrip("/")
    while url.startswith(("./", "../")):
        step, _, url = url.partition("/")
        if step == "..":
            cut = re.match(r"(.*)[/:]", base)
            base = cut[1] + (":" if base[cut.end() - 1] == ":" else "") if cut else base
    return base + url if base.endswith(":") else f"{base}/{url}"


def place_of(git: Repository, submodule: Submodule) -> str:
    """Return where a submodule's repository lies, or would lie, as git has it; raises Refused for a name of ill will."""
    path = os.path.join(git.folder, submodule.path)
    if os.path.realpath(path) != os.path.join(os.path.realpath(git.folder), submodule.path):
        raise _refused(submodule, "a link is in the way to its folder")
    if is_here(git.folder, submodule):
        return git_runner.git_folders(path)[0]
    parts = submodule.name.split("/")
    if not all(parts) or {".", ".."} & {*parts} or not submodule.name.isprintable() or "\\" in submodule.name:
        raise _refused(submodule, "its name is no name of a folder")
    places = [
        os.path.join(git.environ["GIT_DIR"], "modules", *parts[:end]) for end in range(1, len(parts) + 1)
    ]
    if any(os.path.exists(os.path.join(place, "HEAD")) for place in places[:-1]):
        raise _refused(submodule, "it would be inside the repository of another one")
    return places[-1]


def _refused(submodule: Submodule, why: str) -> Refused:
    return Refused(
        f"The submodule {submodule.path!r} is not fetched: {why}.", "Tell whoever made the repository."
    )
