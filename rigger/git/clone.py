"""Clone, update and switch a checkout, so that nobody's work in it is lost."""

from __future__ import annotations

import os
import re

from rigger import text
from rigger.errors import NotReady
from rigger.files import into_place, remove, sweep
from rigger.git import gitlinks, lfs
from rigger.git import inspect as git_inspect
from rigger.git import runner as git_runner
from rigger.git import submodules as git_submodules
from rigger.git.errors import GitError, NothingLeftOut
from rigger.git.inspect import (
    GIVE_UP,
    KNOWN,
    State,
    current_branch,
    has_history,
    has_object,
    own_commits,
    require_clean,
    require_nothing_lost,
)
from rigger.git.remote import Target, make_repository, set_config
from rigger.git.runner import CLONE_TIMEOUT, Repository, Say, saying_what_failed, text_of
from rigger.git.urls import check_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def require_switchable(folder: str, wanted: str) -> None:
    """Raise NotReady where a checkout cannot be switched to a commit with all that belongs to it, without a network."""
    require_clean(folder)
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        _require_room(git, folder, wanted)
    git_submodules.require_here(folder, wanted)
    lfs.require_fetched(folder, wanted)


def switch(folder: str, wanted: str) -> None:
    """Check a commit out, detached: branches stay where they are; raises NotReady."""
    require_switchable(folder, wanted)
    with saying_what_failed(f"{folder} cannot be brought to {wanted[:12]}"), git_runner.opened(folder) as git:
        _switch(git, Target(wanted, wanted, "commit"))


# ---- clone and update ------------------------------------------------------------------------------------


def clone(
    url: str,
    folder: str,
    target: Target,
    say: Say | None = None,
    submodules: bool = False,
    agree: Say | None = None,
    replace: bool = False,
    kept: Collection[str] = (),
) -> None:
    """Make a folder that holds the target: beside its place first, so that it appears whole or not at all.

    A release is fetched without history, anything else without the files of the past, where the server allows.
    `say` gets git's progress; `agree` is called with the folder that is being made and may raise. `replace` puts
    it in the place of a checkout that `require_nothing_lost` accepts, where `kept` are files that have a copy. Raises NotReady, Interrupted, or what
    `agree` raises; then nothing is left.
    """
    url, folder = check_url(url), os.path.abspath(folder)
    if replace:
        require_nothing_lost(folder, kept)
    elif os.path.lexists(folder):
        raise NotReady(f"{folder} exists already.", "Name another folder, or move it away.")
    parent, name = os.path.split(folder)
    os.makedirs(parent, mode=0o700, exist_ok=True)
    sweep(parent, rf"\.{re.escape(name)}\.new-(?P<pid>[0-9]+)-[0-9a-f]+")
    aside = os.path.join(parent, f".{name}.new-{os.getpid()}-{os.urandom(3).hex()}")
    try:
        _clone(url, aside, target, say, submodules)
        if agree:
            agree(aside)
        _into_place(aside, folder)
    finally:
        remove(aside)


def update(
    folder: str,
    url: str,
    target: Target,
    say: Say | None = None,
    agree: Say | None = None,
    submodules: bool = False,
) -> None:
    """Bring a checkout to the target and lose nothing; raises NotReady that names what is in the way.

    Submodules that it has come along, with `submodules` all of them.

    `agree` is called with the folder when the target's commit is in it, before any file changes; it may raise.
    A branch of the checkout follows the one of the repository; one with commits of its own is left as it is.
    """
    url = check_url(url)
    before = git_inspect.state(folder, target.commit)
    if not before.is_repository:
        raise NotReady(f"{folder} is no git repository.", "Move it away, and clone again.")
    if before.same and before.branch == (target.name if target.kind == "branch" else ""):
        return
    _require_no_work(folder, before, target)
    with (
        saying_what_failed(f"{folder} cannot be brought to {target.name}"),
        git_runner.opened(folder, url) as git,
    ):
        own = own_commits(git, f"refs/heads/{target.name}") if target.kind == "branch" else ()
        if own:
            raise NotReady(
                f"The branch {target.name} in {folder} has commits that {url} does not have: {text.listed(own)}.",
                f'Keep them under another name: "git -C {folder} branch -m {target.name} NAME", or push them.',
            )
        _fetch(git, target, say, shallow=target.kind in ("release", "tag") and not has_history(git))
        _require_room(git, folder, target.commit)
        _fetch_files(git, target.commit, say)
        if agree:
            agree(folder)
        git_submodules.fetch(folder, url, target.commit, say, only_used=not submodules)
    with saying_what_failed(f"{folder} cannot be brought to {target.name}"), git_runner.opened(folder) as git:
        _switch(git, target)


def bring_submodules(folder: str, url: str, commit: str, say: Say | None = None) -> None:
    """Fetch the submodules of the commit that is checked out, and check them out; raises NotReady, Refused."""
    git_submodules.fetch(folder, url, commit, say)
    with saying_what_failed(f"{folder} cannot have its submodules"), git_runner.opened(folder) as git:
        git_submodules.check_out(git)


def fetch(folder: str, url: str, target: Target, say: Say | None = None) -> None:
    """Bring a target's commit and files into a checkout that could be switched to it; nothing is checked out."""
    url = check_url(url)
    _require_no_work(folder, git_inspect.state(folder, target.commit), target)
    with (
        saying_what_failed(f"{target.name} of {url} cannot be fetched"),
        git_runner.opened(folder, url) as git,
    ):
        _fetch(git, target, say, shallow=target.kind in ("release", "tag") and not has_history(git))
        _require_room(git, folder, target.commit)
        _fetch_files(git, target.commit, say)


def fetch_to_compare(folder: str, url: str, commit: str) -> None:
    """Bring a single commit into a repository, its files left out where they can be; raises NotReady."""
    url = check_url(url)
    with (
        saying_what_failed(f"{commit[:12]} of {url} cannot be fetched"),
        git_runner.opened(folder, url) as git,
    ):
        if _is_here(folder, commit):
            return
        options = ["--no-tags", *([] if has_history(git) else ["--depth=1"])]
        if git.filtered:
            options.append(f"--filter={git.filtered}")
        git("fetch", "-q", "--no-write-fetch-head", *options, "origin", commit)
        git("update-ref", f"{KNOWN}/{commit}", commit)


def _is_here(folder: str, commit: str) -> bool:
    """Return whether a repository has a commit; git that can reach the server would fetch it, and all its history."""
    with git_runner.opened(folder) as git:
        return has_object(git, commit)


def _clone(url: str, folder: str, target: Target, say: Say | None, submodules: bool) -> None:
    """Fetch with as little as possible; a server that cannot leave anything out is asked for everything."""
    sparing = True
    while True:
        os.makedirs(folder, mode=0o700)
        make_repository(folder, url, len(target.commit), filtered="blob:none" if sparing else "")
        try:
            with git_runner.opened(folder, url) as git:
                shallow = sparing and target.kind in ("release", "tag")
                _fetch(git, target, say, shallow, everything=not shallow)
                _fetch_files(git, target.commit, say)
            with git_runner.opened(folder) as git:
                _switch(git, target)
            break
        except GitError as problem:
            remove(folder)
            if not (sparing and isinstance(problem, NothingLeftOut)):
                raise NotReady(
                    f"{url} cannot be cloned: {problem}.",
                    problem.next_step("Put that right and try again; nothing is left of it."),
                ) from None
            sparing = False
    if submodules:
        bring_submodules(folder, url, target.commit, say)


def _fetch(git: Repository, target: Target, say: Say | None, shallow: bool, everything: bool = False) -> None:
    """Bring a target's commit and its name; where it moved meanwhile, the commit that was decided on."""
    specs = (
        ["+refs/heads/*:refs/remotes/origin/*"] if everything or target.kind in ("branch", "commit") else []
    )
    specs += ["+refs/tags/*:refs/tags/*"] if everything else []
    if target.kind in ("release", "tag") and not everything:
        specs.append(f"+{target.ref}:{target.ref}")
    options = [
        *(["--depth=1"] if shallow else []),
        *(["--no-tags"] if target.kind in ("release", "tag") else []),
    ]
    if git.filtered:
        options.append(f"--filter={git.filtered}")
    words = ["fetch", "--progress", "--no-write-fetch-head", *options, "origin", *specs]
    try:
        git.loudly(*words, say=say)
    except GitError:
        if not _take_gone_branches_away(git):  # of "next", which is gone, and "next/one", only one has room
            raise
        git.loudly(*words, say=say)
    if not _is_here(git.folder, target.commit):
        git.loudly("fetch", "--progress", "--no-write-fetch-head", *options, "origin", target.commit, say=say)
    git("update-ref", f"{KNOWN}/{target.commit}", target.commit)


def _take_gone_branches_away(git: Repository) -> bool:
    """Forget what branches of origin were that it has no more, but not their commits; return whether there were any."""

    def branches() -> set[str]:
        listed = git("for-each-ref", "--format=%(objectname) %(refname)", "refs/remotes/origin")
        return {*text_of(listed).splitlines()}

    before = branches()
    git("-c", "remote.origin.fetch=+refs/heads/*:refs/remotes/origin/*", "remote", "prune", "origin")
    gone = before - branches()
    for commit in {line.partition(" ")[0] for line in gone}:
        git("update-ref", f"{KNOWN}/{commit}", commit)
    return bool(gone)


def _fetch_files(git: Repository, wanted: str, say: Say | None) -> None:
    """Bring the files of a commit that are not here yet, so that checking it out needs no network."""
    if not git.filtered:
        return
    objects = git("rev-list", "--objects", "--no-object-names", "--no-walk", "--missing=print", wanted)
    missing = [line[1:] for line in text_of(objects).splitlines() if line.startswith("?")]
    if not missing:
        return
    if say:
        say(f"Receiving {len(missing)} files")
    git(
        "-c", "fetch.negotiationAlgorithm=noop", "fetch", "-q", "--no-tags", "--no-write-fetch-head",
        "--filter=blob:none", "--stdin", "origin",
        input="".join(f"{name}\n" for name in missing).encode(),
        timeout=CLONE_TIMEOUT,
    )  # fmt: skip


def _switch(git: Repository, target: Target) -> None:
    """Check the target out, with the submodules that were fetched.

    A branch becomes a local branch that follows origin's, anything else is detached.
    """
    git_submodules.take_away(git, target.commit)
    lfs.set_aside(git)
    options = ["-q", "--no-recurse-submodules", "--no-overwrite-ignore"]
    if target.kind == "branch":
        _make_room_for_branch(git, target.name)
        git.to_the_end("checkout", *options, "--no-track", "-B", target.name, target.commit, "--")
        set_config(git.common, f"branch.{target.name}.remote", "origin")
        set_config(git.common, f"branch.{target.name}.merge", target.ref)
    else:
        git.to_the_end("checkout", *options, "--detach", target.commit, "--")
    lfs.put_in_place(git)
    git_submodules.check_out(git)


def _make_room_for_branch(git: Repository, name: str) -> None:
    """Remove branches whose names leave no room for another: "next" for "next/one"; raises NotReady for one with own commits."""
    listed = text_of(git("for-each-ref", "--format=%(refname)", "refs/heads")).splitlines()
    for other in (ref.removeprefix("refs/heads/") for ref in listed):
        if not (name.startswith(f"{other}/") or other.startswith(f"{name}/")):
            continue
        if own := own_commits(git, f"refs/heads/{other}"):
            raise NotReady(
                f"The branch {other} in {git.folder} is in the way of {name}, and has commits of its own: {text.listed(own)}.",
                f'Give it another name: "git -C {git.folder} branch -m {other} NAME".',
            )
        if current_branch(git) == other:
            git("checkout", "-q", "--detach")
        git("branch", "-q", "-D", "--", other)


def _require_no_work(folder: str, checkout: State, target: Target) -> None:
    """Raise NotReady where a checkout has changes, or commits that nothing would lead to any more."""
    if checkout.under_way:
        raise NotReady(
            f"A {checkout.under_way} is under way in {folder}.",
            f'Finish it, or give it up: "git -C {folder} {checkout.under_way} {GIVE_UP[checkout.under_way]}".',
        )
    if checkout.changed:
        raise NotReady(
            f"{folder} has local changes, which {target.name} would overwrite: {text.listed(checkout.changed)}.",
            f'Keep them: "git -C {folder} stash", or commit them on a branch of your own.',
        )
    if checkout.commits and not checkout.branch:
        raise NotReady(
            f"{folder} has commits that are on no branch: {text.listed(checkout.commits)}.",
            f'Keep them: "git -C {folder} switch -c NAME".',
        )


def _require_room(git: Repository, folder: str, wanted: str) -> None:
    """Raise NotReady where files that git does not track lie where the wanted commit has others."""
    new = text_of(
        git("diff-tree", "-r", "--name-only", "--no-renames", "--diff-filter=A", "-z", "HEAD", wanted)
    )
    tracked = set(text_of(git("ls-files", "-z")).split("\0"))
    own = {found.path for found in gitlinks.submodules(git, wanted) if gitlinks.is_here(folder, found)}
    names = {
        name for name in new.split("\0") if name
    } - own  # a submodule that git left behind is in its place again
    taken = {path for name in names for path in _in_the_way(folder, name, tracked)}
    if taken:
        raise NotReady(
            f"{folder} has files that git does not track where {wanted[:12]} has others: {text.listed(sorted(taken))}.",
            "Move them away and try again.",
        )


def _in_the_way(folder: str, name: str, tracked: set[str]) -> Iterator[str]:
    """Give what stands at a path that is to be written, or is no folder on the way to it."""
    parts = name.split("/")
    for end in range(1, len(parts) + 1):
        path = "/".join(parts[:end])
        whole = os.path.join(folder, path)
        if path in tracked or not os.path.lexists(whole):
            return
        if end < len(parts) and os.path.isdir(whole) and not os.path.islink(whole):
            continue
        if not os.path.isdir(whole) or os.path.islink(whole) or os.listdir(whole):
            yield path
        return


def _into_place(aside: str, folder: str) -> None:
    """Give a new folder its name, in one step; what had it before is removed."""
    try:
        into_place(aside, folder)
    except OSError as problem:
        raise NotReady(
            f"{folder} cannot be made: {problem.strerror}.", "Check who may write there."
        ) from None
