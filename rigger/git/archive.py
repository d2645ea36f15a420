"""A repository as one git bundle inside of a saved environment, and back."""

from __future__ import annotations

import os
import re

from rigger.errors import BadUsage, Refused
from rigger.files import temporary_folder
from rigger.git import runner as git_runner
from rigger.git.errors import GitError
from rigger.git.inspect import KNOWN, current_branch, has_history, head_commit, local_base
from rigger.git.remote import COMMIT
from rigger.git.runner import Repository, own_settings, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = "refs/rigger/head"  # the commit that was checked out

BEGINNING = "refs/rigger/shallow"  # below it, in a bundle, the commits that its history begins with


# ---- bundles ---------------------------------------------------------------------------------------------


def pack(folder: str, path: str) -> None:
    """Write a git bundle of all that the repository has to a file; raises BadUsage.

    Of one that lacks history or files, what is checked out, with somebody's own commits on top: the rest would
    have to be fetched. Where its history begins is named in refs below `refs/rigger/shallow`.
    """
    try:
        with git_runner.opened(folder) as git:
            if has_history(git) and "remote.origin.partialclonefilter" not in own_settings(git.common):
                git("bundle", "create", "-q", path, "--all", "HEAD")
            else:
                _pack_tip(git, local_base(folder), path)
    except GitError as problem:
        raise BadUsage(f"git could not bundle {folder}: {problem}.") from None


def _pack_tip(git: Repository, base: Sequence[str], path: str) -> None:
    """Write a git bundle whose history begins at some commits."""
    head, branch = head_commit(git), current_branch(git)
    refs = {f"{BEGINNING}/{commit}": commit for commit in base}
    refs |= {f"{KNOWN}/{commit}": commit for commit in base}
    refs |= {f"refs/heads/{branch}": head} if branch else {}
    for tag in {tag for commit in base for tag in text_of(git("tag", "--points-at", commit)).splitlines()}:
        refs[f"refs/tags/{tag}"] = text_of(git("rev-parse", f"refs/tags/{tag}"))
    with temporary_folder("rigger-git-") as aside:
        kind = ["--object-format=sha256"] if len(head) == 64 else []
        git_runner.git(None, "init", "-q", "--bare", "--template=", *kind, "--", aside, bare=True)
        os.makedirs(os.path.join(aside, "objects", "info"), exist_ok=True)
        _write(os.path.join(aside, "objects", "info", "alternates"), os.path.join(git.common, "objects"))
        _write(os.path.join(aside, "shallow"), *base)
        git_runner.git(aside, "update-ref", "--no-deref", "HEAD", head, bare=True)
        for name, value in refs.items():
            git_runner.git(aside, "update-ref", name, value, bare=True)
        git_runner.git(aside, "bundle", "create", "-q", path, "--all", "HEAD", bare=True)


def _write(path: str, *lines: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("".join(f"{line}\n" for line in lines))


def unpack(path: str, folder: str, wanted: str) -> None:
    """Make a repository from a git bundle and check a commit out; raises Refused. Nothing asks the network."""
    try:
        heads = text_of(
            git_runner.git(None, "bundle", "list-heads", path, environ={"GIT_DIR": os.devnull}, bare=True)
        )
        kind = ["--object-format=sha256"] if re.match("[0-9a-f]{64} ", heads) else []
        git_runner.git(None, "init", "-q", "--template=", *kind, "--", folder, bare=True)
        if beginning := re.findall(rf"(?m)^({COMMIT}) {BEGINNING}/", heads):
            _write(os.path.join(folder, ".git", "shallow"), *beginning)
        refs = ("heads", "tags", "remotes", "rigger/known")
        specs = [f"+refs/{kind}/*:refs/{kind}/*" for kind in refs] + [f"+HEAD:{HEAD}"]
        git_runner.git(
            folder,
            "fetch",
            "-q",
            "--update-head-ok",
            "--no-write-fetch-head",
            path,
            *specs,
            bare=True,
            url="/",
        )
        is_commit = re.fullmatch(COMMIT, wanted)
        git_runner.git(folder, "checkout", "-q", "--detach", wanted if is_commit else HEAD, bare=True)
    except GitError as problem:
        raise Refused(
            f"The checkout in the bundle cannot be made: {problem}.", "Get it again from whoever made it."
        ) from None
