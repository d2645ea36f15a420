"""Submodules: fetched before anything changes, checked out beside the commit that names them, and missed if they are not."""

from __future__ import annotations

import contextlib
import os

from rigger import text
from rigger.errors import NotReady
from rigger.files import remove
from rigger.git import lfs
from rigger.git import runner as git_runner
from rigger.git.errors import GitError, NothingLeftOut
from rigger.git.gitlinks import Submodule, is_here, place_of, submodules, url_of
from rigger.git.inspect import KNOWN, has_history, has_object, head_commit, origin_of, state
from rigger.git.remote import set_config, unset_config
from rigger.git.runner import Repository, Say, saying_what_failed
from rigger.git.urls import check_url
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

DEEPEST = 20  # submodules within submodules; a repository can name itself as one


# ---- what is not as it should be --------------------------------------------------------------------------


@frozen
class Lacking:
    """A submodule that is not checked out, or at another commit."""

    path: str
    wanted: str
    has: str = ""

    def __str__(self) -> str:
        wanted = self.wanted[:12]
        return (
            f"{self.path} is at {self.has[:12]}, not at {wanted}"
            if self.has
            else f"{self.path} (at {wanted}) is not fetched"
        )


def lacking(folder: str) -> list[Lacking]:
    """Return the submodules, also those within others, that are not what the index of a checkout names."""
    with saying_what_failed(f"{folder} cannot be looked at"):
        return list(_lacking(folder, "", DEEPEST))


def _lacking(folder: str, above: str, depth: int) -> Iterator[Lacking]:
    with git_runner.opened(folder) as git:
        found = submodules(git)
    for submodule in found:
        path, inner = f"{above}{submodule.path}", os.path.join(folder, submodule.path)
        if not is_here(folder, submodule):
            if submodule.wanted:
                yield Lacking(path, submodule.commit)
            continue
        with git_runner.opened(inner) as git:
            has = head_commit(git)
        if has != submodule.commit:
            yield Lacking(path, submodule.commit, has)
        elif depth:
            yield from _lacking(inner, f"{path}/", depth - 1)


def without_url(folder: str) -> list[str]:
    """Return the paths of commits of other repositories that a checkout names, and nothing says where to fetch them."""
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        return [
            found.path for found in submodules(git)
            if not (found.wanted or found.left_out or is_here(folder, found))
            and not _has_files(os.path.join(folder, found.path))
        ]  # fmt: skip


def _has_files(folder: str) -> bool:
    return os.path.isdir(folder) and bool(os.listdir(folder))


def names(folder: str) -> list[str]:
    """Return the paths of the submodules that a checkout should have."""
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        return [submodule.path for submodule in submodules(git) if submodule.wanted]


def are_used(folder: str) -> bool:
    """Return whether a checkout has any submodule in its place."""
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        return any(is_here(folder, submodule) for submodule in submodules(git))


def leave_out(folder: str) -> list[str]:
    """Note, where git itself reads it, that a checkout does without those that are not fetched; returns their paths."""
    with saying_what_failed(f"{folder} cannot be changed"):
        return list(_leave_out(folder, "", DEEPEST))


def _leave_out(folder: str, above: str, depth: int) -> Iterator[str]:
    with git_runner.opened(folder) as git:
        for submodule in submodules(git):
            path = f"{above}{submodule.path}"
            if is_here(folder, submodule):
                if depth:
                    yield from _leave_out(os.path.join(folder, submodule.path), f"{path}/", depth - 1)
            elif submodule.wanted:
                set_config(git.common, f"submodule.{submodule.name}.update", "none")
                yield path


def take_in(folder: str) -> None:
    """Forget that a checkout does without some of its submodules."""
    with saying_what_failed(f"{folder} cannot be changed"), git_runner.opened(folder) as git:
        for submodule in submodules(git):
            if submodule.left_out:
                with contextlib.suppress(GitError):  # where .gitmodules says it, it stays
                    unset_config(git.common, f"submodule.{submodule.name}.update")


# ---- fetched, then checked out ----------------------------------------------------------------------------


def fetch(folder: str, url: str, commit: str, say: Say | None = None, only_used: bool = False) -> None:
    """Bring the submodules of a commit, and theirs, as far as nobody left them out; no file of the checkout changes.

    With `only_used` those alone that are checked out now. Raises NotReady where one cannot be had, Refused for a URL
    that git may not be given.
    """
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        _fetch_all(git, check_url(url), commit, say, only_used, DEEPEST)


def _opened(place: str, folder: str) -> AbstractContextManager[Repository]:
    """Give a submodule's repository, whose folder is not there where the commit that names it is not checked out."""
    return git_runner.opened_at(place, place, folder if os.path.isdir(folder) else place)


def _fetch_all(git: Repository, url: str, commit: str, say: Say | None, only_used: bool, depth: int) -> None:
    for submodule in submodules(git, commit):
        if not submodule.wanted or (only_used and not is_here(git.folder, submodule)):
            continue
        if not depth:
            raise NotReady(f"{url} has submodules within submodules without end.", "Leave them out.")
        where, place = url_of(submodule, url), place_of(git, submodule)
        if not os.path.exists(os.path.join(place, "HEAD")):
            _make(place, where, os.path.join(git.folder, submodule.path), len(submodule.commit))
        if say:
            say(f"Fetching the submodule {submodule.path}")
        try:
            with git_runner.opened_at(place, place, place, where) as inner:
                _fetch_commit(inner, submodule.commit, say)
        except GitError as problem:
            raise NotReady(
                f"The submodule {submodule.path} cannot be fetched from {where}: {problem}.",
                problem.next_step(
                    'Put that right and try again, or do without: "rigger checkout --no-submodules".'
                ),
            ) from None
        with _opened(place, os.path.join(git.folder, submodule.path)) as inner:
            _fetch_all(inner, where, submodule.commit, say, only_used=False, depth=depth - 1)


def _make(place: str, url: str, folder: str, digits: int) -> None:
    """Make an empty repository where git has those of submodules, for files in another folder."""
    kind = ["--object-format=sha256"] if digits == 64 else []
    git_runner.git(None, "init", "-q", "--bare", "--template=", *kind, "--", place, bare=True)
    settings = {
        "core.bare": "false",
        "core.worktree": os.path.relpath(folder, place),
        "remote.origin.url": url,
        "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
    }
    for name, value in settings.items():
        set_config(place, name, value)


def _fetch_commit(git: Repository, commit: str, say: Say | None) -> None:
    """Bring one commit, without its history where there is none yet and the server can leave it out."""
    with git_runner.opened_at(
        git.common, git.common, git.folder
    ) as here:  # which asks nobody for what is not there
        if has_object(here, commit):
            return
        new = not head_commit(here) or not has_history(here)
    options = ["fetch", "--progress", "--no-tags", "--no-write-fetch-head"]
    try:
        git.loudly(*options, *(["--depth=1"] if new else []), "origin", commit, say=say)
    except NothingLeftOut:
        git.loudly(
            *options, "origin", "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*", say=say
        )
    git("update-ref", f"{KNOWN}/{commit}", commit)


def require_here(folder: str, commit: str, advice: str = "") -> None:
    """Raise NotReady, before anything is changed, where a submodule of a commit was not fetched."""
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        missing = list(_not_fetched(git, commit, "", DEEPEST))
    if missing:
        raise NotReady(
            f"{folder} does not have the submodules of {commit[:12]}: {text.listed(missing)}.",
            advice
            or f'Get them: "git -C {folder} checkout {commit[:12]} && git -C {folder} submodule update --init --recursive".',
        )


def _not_fetched(git: Repository, commit: str, above: str, depth: int) -> Iterator[str]:
    for submodule in submodules(git, commit):
        if not submodule.wanted:
            continue
        place, path = place_of(git, submodule), f"{above}{submodule.path}"
        if not os.path.exists(os.path.join(place, "HEAD")):
            yield path
            continue
        with _opened(place, os.path.join(git.folder, submodule.path)) as inner:
            if not has_object(inner, submodule.commit):
                yield path
            elif depth:
                yield from _not_fetched(inner, submodule.commit, f"{path}/", depth - 1)


def take_away(git: Repository, commit: str) -> None:
    """Empty the folders of submodules that a commit does not have; their repositories stay where git keeps them."""
    stay = {submodule.path for submodule in submodules(git, commit)}
    for submodule in submodules(git):
        folder = os.path.join(git.folder, submodule.path)
        if submodule.path in stay or not os.path.isfile(os.path.join(folder, ".git")):
            continue
        if state(folder).untracked == 0:
            remove(folder)


def check_out(git: Repository) -> None:
    """Bring the submodules to the commits that the index names, as far as they were fetched. Nothing is asked for."""
    for submodule in submodules(git):
        if not (submodule.wanted or is_here(git.folder, submodule)):
            continue
        place, folder = place_of(git, submodule), os.path.join(git.folder, submodule.path)
        if not os.path.exists(os.path.join(place, "HEAD")):
            continue
        with git_runner.opened_at(place, place, folder) as inner:
            if not has_object(inner, submodule.commit):
                continue
            new = not is_here(git.folder, submodule)
            if new and not _settle(git, submodule, folder, place):
                continue
            if new or head_commit(inner) != submodule.commit:
                if not new:
                    take_away(inner, submodule.commit)
                force = ["--force"] if new else []
                options = ["-q", *force, "--no-recurse-submodules", "--no-overwrite-ignore", "--detach"]
                lfs.set_aside(inner)
                inner.to_the_end("checkout", *options, submodule.commit, "--")
                lfs.put_in_place(inner)
            check_out(inner)


def _settle(git: Repository, submodule: Submodule, folder: str, place: str) -> bool:
    """Make an empty folder that of a submodule, as git knows it; one with files in it is somebody's and stays."""
    os.makedirs(folder, exist_ok=True)
    if os.listdir(folder):
        return False
    set_config(git.common, f"submodule.{submodule.name}.url", origin_of(place))
    set_config(place, "core.worktree", os.path.relpath(os.path.realpath(folder), os.path.realpath(place)))
    with open(os.path.join(folder, ".git"), "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"gitdir: {os.path.relpath(os.path.realpath(place), os.path.realpath(folder))}\n")
    return True
