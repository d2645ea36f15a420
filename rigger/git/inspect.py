"""Look at a git repository: its commit, version, branch, changes and work that exists nowhere else."""

from __future__ import annotations

import os
import re

from rigger import text, versions
from rigger.errors import NotReady
from rigger.git import runner as git_runner
from rigger.git.errors import GitError
from rigger.git.gitlinks import Submodule, is_here, submodules
from rigger.git.place import is_repository
from rigger.git.runner import Repository, git_folders, saying_what_failed, text_of
from rigger.later import later
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rigger.git import lfs
else:
    lfs = later("rigger.git.lfs")

KNOWN = "refs/rigger/known"  # below it, the commits that rigger itself brought here: nobody's local work


SCRIPTS = r"(?:contrib|providers|rigger|\.rigger)/.*|(?:.*/)?(?:rigger\.yml|Makefile|[^/]*\.(?:sh|bash|mk))"


@frozen
class State:
    """What a checkout is like."""

    missing: bool = True
    is_repository: bool = False
    commit: str = ""
    same: bool = False  # whether the wanted commit is the one that is checked out
    branch: str = ""  # nothing where HEAD is detached
    changed: tuple[str, ...] = ()  # files that git tracks and somebody changed
    commits: tuple[str, ...] = ()  # "abc1234 subject" of commits on top that no remote has
    untracked: int = 0
    under_way: str = ""  # what somebody has begun and not ended: a rebase, a merge ...
    origin: str = ""  # the URL that it says it comes from

    @property
    def local(self) -> bool:
        """Whether somebody's own work is in it."""
        return bool(self.changed or self.commits or self.under_way)


def commit(folder: str | None) -> str:
    """Return the commit that is checked out, nothing where there is none."""
    if folder is None:
        return ""
    try:
        return text_of(git_runner.git(folder, "rev-parse", "--verify", "HEAD"))
    except GitError:
        return ""


def tagged(folder: str, version: str) -> str:
    """Return the commit that a version's tag names, nothing where there is none; v1.2.3 and 1.2.3 are the same."""
    bare_version = versions.plain(version)
    for tag in (version, f"v{bare_version}", bare_version):
        try:
            return text_of(
                git_runner.git(
                    folder, "rev-parse", "--verify", "--end-of-options", f"refs/tags/{tag}^{{commit}}"
                )
            )
        except GitError:
            continue
    return ""


def origin(folder: str) -> str:
    """Return the URL that a repository says it comes from, nothing where it says none."""
    with saying_what_failed(f"{folder} cannot be looked at"):
        return origin_of(git_folders(folder)[1])


def describe(folder: str) -> str:
    """Return what `git describe --long --dirty --tags --always` says, and run nothing that the folder names.

    Raises NotReady where there is no commit.
    """
    with saying_what_failed(f"{folder} cannot be described"), git_runner.opened(folder) as git:
        output = text_of(git("describe", "--long", "--tags", "--always"))
        return f"{output}-dirty" if _changed(git)[0] else output


def state(folder: str, wanted: str = "") -> State:
    """Return what is in a folder, compared with the wanted commit; raises NotReady for a broken repository."""
    if not os.path.lexists(folder):
        return State()
    if not is_repository(folder):
        return State(missing=False)
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        head = head_commit(git)
        changed, untracked = _changed(git)
        return State(
            missing=False,
            is_repository=True,
            commit=head,
            same=bool(head) and head == wanted,
            branch=current_branch(git),
            changed=changed,
            commits=own_commits(git, "HEAD") if head else (),
            untracked=untracked,
            under_way=_under_way(git),
            origin=origin_of(git.common),
        )


def changes(folder: str, old: str, new: str, limit: int = 20) -> list[str]:
    """Return what changed between two commits: the commits' subjects, and the files of scripts, as lines."""
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        if not has_object(git, old):
            return [f"What changed since {old[:12]} cannot be shown: that commit is not here."]
        lines = []
        if has_history(git):
            log = text_of(
                git("log", "--no-show-signature", f"-{limit + 1}", "--format=%h %s", f"{old}..{new}")
            )
            commits = [text.printable(line) for line in log.splitlines()]
            lines += [*commits[:limit], *(["..."] if len(commits) > limit else [])]
        files = _changed_scripts(git, old, new)
        return [*lines, *files[:limit], *([f"and {len(files) - limit} more files"] * (len(files) > limit))]


def between(folder: str, old: str, new: str, limit: int = 10) -> list[str]:
    """Return the commits between two, the newest first: `+ 1b8f00c subject` for those that only the new one has, `-` for the old.

    Nothing where they cannot be told: no repository, or one of the two is not in it.
    """
    try:
        words = ("log", "--no-show-signature", "--left-right", f"-{limit + 1}", "--format=%m %h %s")
        log = text_of(git_runner.git(folder, *words, "--end-of-options", f"{old}...{new}", "--"))
    except GitError:
        return []
    signs = {">": "+", "<": "-"}
    lines = [f"{signs[line[0]]}{text.printable(line[1:])}" for line in log.splitlines()]
    return [*lines[:limit], *(["..."] if len(lines) > limit else [])]


def local_base(folder: str) -> list[str]:
    """Return the commits of others that HEAD stands on: itself, or where somebody's own commits begin."""
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        output = text_of(git("rev-list", "--boundary", "HEAD", "--not", *_remote_refs())).splitlines()
        own = [line for line in output if not line.startswith("-")]
        return [line[1:] for line in output if line.startswith("-")] if own else [head_commit(git)]


def tracked(folder: str, below: str, links: bool = False) -> list[str]:
    """Return the paths of the files that git tracks in a part of a repository, of those that are there.

    With `links` also those of symbolic links. Raises NotReady where git cannot tell.
    """
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        output = git("ls-files", "-z", "--", _part(folder, below))
    names = output.decode("utf-8", "surrogateescape").split("\0")
    paths = (os.path.join(folder, name) for name in names if name)
    return [path for path in paths if (links if os.path.islink(path) else os.path.isfile(path))]


def untracked(folder: str, below: str) -> list[str]:
    """Return the paths of what git does not track in a part of a repository, also of what it ignores.

    A repository in there that is no submodule is one path, that of its folder. Raises NotReady where git cannot tell.
    """
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        output = git("ls-files", "-z", "--others", "--", _part(folder, below))
    names = output.decode("utf-8", "surrogateescape").split("\0")
    return [os.path.join(folder, name.removesuffix("/")) for name in names if name]


def _part(folder: str, below: str) -> str:
    """Return a part of a repository as git is told of it, whatever its name has in it."""
    part = os.path.relpath(os.path.realpath(below), os.path.realpath(folder))
    return f":(top,literal){'' if part == '.' else part}"


def require_clean(folder: str) -> None:
    """Raise NotReady where switching to another commit could touch what somebody changed."""
    changed = state(folder).changed
    if changed:
        raise NotReady(
            f"{folder} has local changes, which another version would overwrite: {text.listed(changed)}.",
            f'Keep them with "git -C {folder} stash" or a commit on a branch, then try again.',
        )


def require_nothing_lost(folder: str, kept: Collection[str] = ()) -> None:
    """Raise NotReady where removing a folder would lose work: changes, commits, stashes, files of somebody's own.

    Files whose paths are `kept` have a copy elsewhere.
    """
    checkout = state(folder)
    if checkout.missing or (not checkout.is_repository and os.path.isdir(folder) and not os.listdir(folder)):
        return
    if not checkout.is_repository:
        raise NotReady(f"{folder} is no git repository; what it holds would be lost.", "Move it away.")
    with saying_what_failed(f"{folder} cannot be looked at"), git_runner.opened(folder) as git:
        only_here = _only_here(git, kept)
    lost = [
        *([f"a {checkout.under_way} that is under way"] if checkout.under_way else []),
        *([f"changes in {text.listed(checkout.changed)}"] if checkout.changed else []),
        *(f"{what}: {text.listed(names)}" for what, names in only_here.items() if names),
    ]
    if lost:
        raise NotReady(
            f"A new clone would lose what is in {folder}: {'; '.join(lost)}.",
            f'Push it, or move it away: "mv {folder} {folder}.mine"; or take --update, which loses nothing.',
        )


def _only_here(
    git: Repository, kept: Collection[str], recorded: Sequence[str] = (), above: str = ""
) -> dict[str, list[str]]:
    """Return what a repository and its submodules have that nobody else has, by what it is."""
    commits = own_commits(git, "HEAD", "--branches", "--tags", without=recorded) if head_commit(git) else ()
    stashes = text_of(git("stash", "list", "--format=%gd %s")).splitlines() if _has_stash(git) else []
    found = {
        "files that git does not track": [f"{above}{name}" for name in _untracked(git, kept)],
        "commits": [*commits],
        "stashes": [text.printable(line) for line in stashes],
    }
    for submodule, inner in _inner(git):
        for what, names in _only_here(inner, kept, [submodule.commit], f"{above}{submodule.path}/").items():
            found[what] += names
    return found


def head_commit(git: Repository) -> str:
    try:
        return text_of(git("rev-parse", "--verify", "-q", "HEAD^{commit}"))
    except GitError:
        return ""


def current_branch(git: Repository) -> str:
    try:
        return text_of(git("symbolic-ref", "-q", "--short", "HEAD"))
    except GitError:
        return ""


def _under_way(git: Repository) -> str:
    """Return what git remembers to have begun in a working tree; see git-status(1)."""
    places = ((name, os.path.join(git.environ["GIT_DIR"], mark)) for mark, name in _MARKS.items())
    return next((name for name, path in places if os.path.exists(path)), "")


_MARKS = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}
GIVE_UP = {name: "reset" if name == "bisect" else "--abort" for name in _MARKS.values()}


def origin_of(common: str) -> str:
    try:
        path = os.path.join(common, "config")
        return text_of(
            git_runner.git(None, "config", "--file", path, "--no-includes", "remote.origin.url", bare=True)
        )
    except GitError:
        return ""


def _changed(git: Repository) -> tuple[tuple[str, ...], int]:
    """Return the tracked files that were changed, and the number of those (and folders) that git does not track."""
    output = git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", IGNORE)
    entries = [entry for entry in output.decode("utf-8", "surrogateescape").split("\0") if entry]
    changed = [entry[3:] for entry in entries if not entry.startswith(("??", "!!"))]
    if changed:  # git itself, without git-lfs, has no more than pointers to compare with
        names = {*changed}
        whole = {p.path for p in lfs.pointers(git) if p.path in names and p.is_whole_in(git.folder)}
        changed = [name for name in changed if name not in whole]
    untracked = sum(entry.startswith("??") for entry in entries)
    for submodule, inner in _inner(git):
        theirs, more = _changed(inner)
        changed += [f"{submodule.path}/{name}" for name in theirs]
        untracked += more
    return tuple(changed), untracked


def _inner(git: Repository) -> Iterator[tuple[Submodule, Repository]]:
    """Give the submodules that are checked out; git itself would read their settings."""
    for submodule in submodules(git):
        if is_here(git.folder, submodule):
            with git_runner.opened(os.path.join(git.folder, submodule.path)) as inner:
                yield submodule, inner


def _untracked(git: Repository, kept: Collection[str] = ()) -> list[str]:
    """Return what git neither tracks nor ignores: whole folders by their names, file by file where some are kept."""
    short = [] if kept else ["--directory"]
    output = text_of(git("ls-files", "-z", "--others", "--exclude-standard", *short))
    return [name for name in output.split("\0") if name and os.path.join(git.folder, name) not in kept]


IGNORE = "--ignore-submodules=dirty"  # git would start itself in there, and read their settings


def own_commits(git: Repository, *refs: str, without: Sequence[str] = ()) -> tuple[str, ...]:
    """Return "abc1234 subject" of the commits that no remote has; none for a ref that is not there.

    Those that commits `without` stand on are not counted.
    """
    others = [*_remote_refs(), *(commit for commit in without if has_object(git, commit))]
    try:
        output = git("log", "--no-show-signature", "--format=%h %s", *refs, "--not", *others, "--")
    except GitError:
        return ()
    return tuple(text.printable(line) for line in text_of(output).splitlines())


def _remote_refs() -> list[str]:
    return ["--remotes", f"--glob={KNOWN}"]


def has_object(git: Repository, name: str) -> bool:
    try:
        git("cat-file", "-e", f"{name}^{{commit}}")
    except GitError:
        return False
    return True


def _has_stash(git: Repository) -> bool:
    try:
        return bool(git("rev-parse", "--verify", "-q", "refs/stash"))
    except GitError:
        return False


def has_history(git: Repository) -> bool:
    return text_of(git("rev-parse", "--is-shallow-repository")) == "false"


def _changed_scripts(git: Repository, old: str, new: str) -> list[str]:
    """Return "changed contrib/x/create" for every file between two commits that may be run."""
    fields = git("diff-tree", "-r", "--raw", "--no-renames", "-z", old, new)
    parts = fields.decode("utf-8", "surrogateescape").split("\0")
    words = {"A": "added", "D": "removed"}
    lines = []
    for head, name in zip(parts[::2], parts[1::2], strict=False):
        modes, letter = head.split()[:2], head.split()[-1]
        runs = any(mode.endswith(("100755", "160000")) for mode in modes)
        if runs or re.fullmatch(SCRIPTS, name):
            lines.append(f"{words.get(letter, 'changed')} {text.printable(name)}")
    return lines
