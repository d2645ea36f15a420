"""The platform's git repository: asked, cloned, updated, looked at, packed (the one home of git).

A repository's own settings can name programs (hooks, filters, monitors, helpers), and those of others are never
read: git works with the repository's objects, refs, HEAD and index, and with settings that are written here.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rigger import process, versions
from rigger.config import Config
from rigger.environment import Environment
from rigger.errors import BadUsage, Interrupted, NotReady, Refused, StepFailed
from rigger.gitinput import check_ref, check_url, protocols

__all__ = ["check_ref", "check_url"]

CHECKOUT = "checkout"  # in an environment
TIMEOUT = 600.0  # seconds
ASK_TIMEOUT = 60.0  # seconds that a server has to list its refs
CLONE_TIMEOUT = 3600.0  # seconds
STOP_GRACE = 3.0  # seconds that git has to clear up after Ctrl-C
LARGEST = 4 << 30  # bytes of a packed repository
HEAD = "refs/rigger/head"  # the commit that was checked out
KNOWN = "refs/rigger/known"  # below it, the commits that rigger itself brought here: nobody's local work
BEGINNING = "refs/rigger/shallow"  # below it, in a bundle, the commits that its history begins with
SAY_EVERY = 0.1  # seconds between two words of progress
SHOWN = 5  # names in a sentence
COMMIT = r"[0-9a-f]{40}|[0-9a-f]{64}"
RELEASE = r"v?[0-9]{1,9}(?:\.[0-9]{1,9}){1,3}(?:[-+._]?[0-9A-Za-z][0-9A-Za-z.+-]{0,60})?"
SCRIPTS = r"(?:contrib|providers|rigger|\.rigger)/.*|(?:.*/)?(?:rigger\.yml|Makefile|[^/]*\.(?:sh|bash|mk))"

Say = Callable[[str], None]

# Nothing of a repository's own configuration may start a program.
_SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "uploadpack.packObjectsHook=",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "transfer.fsckObjects=true",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "fetch.prune=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=60",
    # Faults of old histories that harm nobody; without this, well-known repositories could not be fetched.
    *(
        f"fetch.fsck.{fault}=ignore"
        for fault in (
            "badTimezone",
            "missingNameBeforeEmail",
            "missingSpaceBeforeDate",
            "missingSpaceBeforeEmail",
            "zeroPaddedFilemode",
        )
    ),
)

# What a repository may say about itself: how its files are to be read, and what it lacks. No program is named.
_OWN = (
    "core.filemode core.ignorecase core.symlinks core.precomposeunicode core.autocrlf core.eol "
    "core.sparsecheckout core.sparsecheckoutcone extensions.objectformat extensions.refstorage "
    "remote.origin.promisor remote.origin.partialclonefilter"
).split()
_SHARED = ("objects", "refs", "packed-refs", "reftable", "shallow", "logs", "info", "worktrees")


@dataclass(frozen=True)
class Target:
    """What to check out: a commit, and what it was asked for by."""

    commit: str
    name: str  # a release as its tag is written, a branch, a tag, or the commit
    kind: str  # release | branch | tag | commit
    ref: str = ""  # its full name, refs/tags/v1.2.3; nothing for a commit


@dataclass(frozen=True)
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


# ---- which folder, which commit --------------------------------------------------------------------------


def find(environment: Environment, config: Config) -> str | None:
    """Return the folder of the platform's repository, None where there is none."""
    root = config.values.get(f"{config.platform.prefix}_ROOT", "")
    for folder in (root, environment.file(CHECKOUT), config.platform.folder):
        if folder and is_repository(folder):
            return folder
    return None


def is_repository(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, ".git"))


def around(folder: str) -> str:
    """Return the repository that a folder is, or lies in; nothing where there is none."""
    folder = os.path.realpath(folder)
    while not is_repository(folder):
        folder, inner = os.path.dirname(folder), folder
        if folder == inner:
            return ""
    return folder


def commit(folder: str | None) -> str:
    """Return the commit that is checked out, nothing where there is none."""
    if folder is None:
        return ""
    try:
        return _text(_git(folder, "rev-parse", "--verify", "HEAD"))
    except RuntimeError:
        return ""


def tagged(folder: str, version: str) -> str:
    """Return the commit that a version's tag names, nothing where there is none; v1.2.3 and 1.2.3 are the same."""
    bare_version = version.removeprefix("v")
    for tag in (version, f"v{bare_version}", bare_version):
        try:
            return _text(
                _git(folder, "rev-parse", "--verify", "--end-of-options", f"refs/tags/{tag}^{{commit}}")
            )
        except RuntimeError:
            continue
    return ""


def origin(folder: str) -> str:
    """Return the URL that a repository says it comes from, nothing where it says none."""
    with _said(f"{folder} cannot be looked at"):
        return _origin(_places(folder)[1])


def describe(folder: str) -> str:
    """Return what `git describe --long --dirty --tags --always` says, and run nothing that the folder names.

    Raises NotReady where there is no commit.
    """
    with _said(f"{folder} cannot be described"), _opened(folder) as git:
        said = _text(git("describe", "--long", "--tags", "--always"))
        return f"{said}-dirty" if _changed(git)[0] else said


def state(folder: str, wanted: str = "") -> State:
    """Return what is in a folder, compared with the wanted commit; raises NotReady for a broken repository."""
    if not os.path.lexists(folder):
        return State()
    if not is_repository(folder):
        return State(missing=False)
    with _said(f"{folder} cannot be looked at"), _opened(folder) as git:
        head = _head(git)
        changed, untracked = _changed(git)
        return State(
            missing=False,
            is_repository=True,
            commit=head,
            same=bool(head) and head == wanted,
            branch=_branch(git),
            changed=changed,
            commits=_own_commits(git, "HEAD") if head else (),
            untracked=untracked,
            under_way=_under_way(git),
            origin=_origin(git.common),
        )


def changes(folder: str, old: str, new: str, limit: int = 20) -> list[str]:
    """Return what changed between two commits: the commits' subjects, and the files of scripts, as lines."""
    with _said(f"{folder} cannot be looked at"), _opened(folder) as git:
        if not _has(git, old):
            return [f"What changed since {old[:12]} cannot be shown: that commit is not here."]
        lines = []
        if _has_history(git):
            log = _text(git("log", "--no-show-signature", f"-{limit + 1}", "--format=%h %s", f"{old}..{new}"))
            commits = [_printable(line) for line in log.splitlines()]
            lines += [*commits[:limit], *(["..."] if len(commits) > limit else [])]
        files = _changed_scripts(git, old, new)
        return [*lines, *files[:limit], *([f"and {len(files) - limit} more files"] * (len(files) > limit))]


def local_base(folder: str) -> list[str]:
    """Return the commits of others that HEAD stands on: itself, or where somebody's own commits begin."""
    with _said(f"{folder} cannot be looked at"), _opened(folder) as git:
        said = _text(git("rev-list", "--boundary", "HEAD", "--not", *_remote_refs())).splitlines()
        own = [line for line in said if not line.startswith("-")]
        return [line[1:] for line in said if line.startswith("-")] if own else [_head(git)]


def tracked(folder: str, below: str) -> list[str]:
    """Return the paths of the files that git tracks in a part of a repository, of those that are there.

    Raises NotReady where git cannot tell.
    """
    part = os.path.relpath(os.path.realpath(below), os.path.realpath(folder))
    with _said(f"{folder} cannot be looked at"), _opened(folder) as git:
        said = git("ls-files", "-z", "--", f":(top,literal){'' if part == '.' else part}")
    names = said.decode("utf-8", "surrogateescape").split("\0")
    paths = (os.path.join(folder, name) for name in names if name)
    return [path for path in paths if os.path.isfile(path) and not os.path.islink(path)]


def require_clean(folder: str) -> None:
    """Raise NotReady where switching to another commit could touch what somebody changed."""
    changed = state(folder).changed
    if changed:
        raise NotReady(
            f"{folder} has local changes, which another version would overwrite: {listed(changed)}.",
            f'Keep them with "git -C {folder} stash" or a commit on a branch, then try again.',
        )


def switch(folder: str, wanted: str) -> None:
    """Check a commit out, detached: branches stay where they are; raises NotReady."""
    require_clean(folder)
    with _said(f"{folder} cannot be brought to {wanted[:12]}"), _opened(folder) as git:
        _require_room(git, folder, wanted)
        _switch(git, Target(wanted, wanted, "commit"))


# ---- what a repository offers ----------------------------------------------------------------------------


def releases(url: str, timeout: float = ASK_TIMEOUT) -> dict[str, str]:
    """Return the released versions as their tags are written, newest first, and each tag's full name.

    `timeout` is in seconds. Raises NotReady where the repository cannot be reached.
    """
    return _releases(_refs(check_url(url), timeout)[0])


def resolve(url: str, version: str = "", ref: str = "", timeout: float = ASK_TIMEOUT) -> Target:
    """Return the full commit of a release, or of a branch, tag or commit; neither: of the default branch.

    `timeout` is in seconds. Raises BadUsage for what the repository does not have, NotReady where it cannot
    be reached.
    """
    url = check_url(url)
    asked = check_ref(version or ref or "HEAD")
    refs, default = _refs(url, timeout)
    if version:
        return _release(url, refs, asked)
    if asked == "HEAD" and default:
        asked = default
    named = _named(url, refs, asked)
    if named:
        return named
    if re.fullmatch("[0-9a-fA-F]{4,64}", asked):
        return _commit(url, refs, asked.lower(), timeout)
    raise _no_such(url, "branch or tag", asked, [ref.split("/", 2)[2] for ref in refs if ref.count("/") > 1])


def _refs(url: str, timeout: float) -> tuple[dict[str, str], str]:
    """Return every ref of a repository with its commit, annotated tags peeled, and the default branch's ref."""
    environ = {"GIT_DIR": os.devnull}  # whatever repository rigger is called in has no say
    try:
        said = _git(None, "ls-remote", "--symref", "--", url, url=url, environ=environ, timeout=timeout)
    except RuntimeError as problem:
        raise NotReady(
            f"{url} cannot be reached: {problem}.",
            "Check the URL, the network, and that git may read it: git ls-remote URL",
        ) from None
    refs, default = {}, ""
    for line in said.decode("utf-8", "surrogateescape").splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: ") and name == "HEAD":
            default = value[5:]
        elif re.fullmatch(COMMIT, value) and _is_ref(name.removesuffix("^{}")):
            refs[name.removesuffix("^{}")] = value  # the peeled line comes second
    return refs, default


def _is_ref(name: str) -> bool:
    try:
        return bool(check_ref(name))
    except Refused:
        return False


def _releases(refs: dict[str, str]) -> dict[str, str]:
    tags = [ref.removeprefix("refs/tags/") for ref in refs if ref.startswith("refs/tags/")]
    found: dict[str, str] = {}
    for tag in versions.newest_first(tag for tag in tags if re.fullmatch(RELEASE, tag)):
        found.setdefault(tag.removeprefix("v"), tag)
    return {tag: f"refs/tags/{tag}" for tag in found.values()}


def _release(url: str, refs: dict[str, str], version: str) -> Target:
    bare_version = version.removeprefix("v")
    for tag in (version, f"v{bare_version}", bare_version):
        ref = f"refs/tags/{tag}"
        if ref in refs:
            return Target(refs[ref], tag, "release", ref)
    raise _no_such(url, "release", version, list(_releases(refs)))


def _named(url: str, refs: dict[str, str], name: str) -> Target | None:
    branch, tag = f"refs/heads/{name}", f"refs/tags/{name}"
    if name not in refs and branch in refs and tag in refs:
        raise BadUsage(f"{name} is both a branch and a tag of {url}.", f"Write {branch} or {tag}.")
    for ref in (name, branch, tag):
        if ref not in refs or ref == "HEAD":
            continue
        if ref.startswith("refs/heads/"):
            return Target(refs[ref], ref.removeprefix("refs/heads/"), "branch", ref)
        if ref.startswith("refs/tags/"):
            return Target(refs[ref], ref.removeprefix("refs/tags/"), "tag", ref)
        return Target(refs[ref], ref, "commit", ref)
    return None


def _no_such(url: str, kind: str, name: str, known: Sequence[str]) -> BadUsage:
    from rigger.questions import did_you_mean

    newest = ", ".join(list(known)[:SHOWN]) or "none"
    label = "It has" if len(known) <= SHOWN else "Among others it has"
    if kind == "release":
        label = "Its newest"
    return BadUsage(f"{url} has no {kind} {name!r}{did_you_mean(name, known)}.", f"{label}: {newest}.")


def _commit(url: str, refs: dict[str, str], asked: str, timeout: float) -> Target:
    """Return a commit that no ref is named like; it is looked for in a copy of the history alone."""
    matches = {value for value in refs.values() if value.startswith(asked)}
    if len(matches) == 1 and re.fullmatch(COMMIT, asked):
        return Target(asked, asked, "commit")
    with _cached(url, asked, timeout) as git:
        try:
            found = _text(git("rev-parse", "--verify", "--end-of-options", f"{asked}^{{commit}}"))
        except RuntimeError as problem:
            several = "ambiguous" in str(problem)
            raise BadUsage(
                f"{url} has {'several commits' if several else 'no branch, tag or commit'} {asked!r}.",
                "Give more digits of it." if several else "Give a branch, a tag, or a full commit.",
            ) from None
    return Target(found, found, "commit")


@contextlib.contextmanager
def _cached(url: str, asked: str, timeout: float) -> Iterator[_Repository]:
    """Give a repository of rigger's own that has all commits of another, and no files."""
    import hashlib

    from rigger.home import Home

    name = hashlib.sha256(url.encode()).hexdigest()[:24]
    folder = os.path.join(Home().cache_dir, "repositories", name)
    if not is_repository(folder):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        _make(folder, url, 64 if len(asked) == 64 else 40, filtered="tree:0")
    specs = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
    if re.fullmatch(COMMIT, asked):
        specs = [asked]  # one that no branch leads to any more; many servers still give it
    with _opened(folder, url) as git:
        try:
            git(
                "fetch", "-q", "--no-tags", "--filter=tree:0", "origin", *specs, timeout=max(timeout, TIMEOUT)
            )
        except RuntimeError as problem:
            if len(specs) > 1:
                raise NotReady(f"{url} cannot be fetched: {problem}.", "Try again.") from None
        yield git


# ---- clone and update ------------------------------------------------------------------------------------


def clone(
    url: str,
    folder: str,
    target: Target,
    say: Say | None = None,
    submodules: bool = False,
    agree: Say | None = None,
    replace: bool = False,
) -> None:
    """Make a folder that holds the target: beside its place first, so that it appears whole or not at all.

    A release is fetched without history, anything else without the files of the past, where the server allows.
    `say` gets git's progress; `agree` is called with the folder that is being made and may raise. `replace` puts
    it in the place of a checkout that `require_nothing_lost` accepts. Raises NotReady, Interrupted, or what
    `agree` raises; then nothing is left.
    """
    url, folder = check_url(url), os.path.abspath(folder)
    if replace:
        require_nothing_lost(folder)
    elif os.path.lexists(folder):
        raise NotReady(f"{folder} exists already.", "Name another folder, or move it away.")
    parent, name = os.path.split(folder)
    os.makedirs(parent, mode=0o700, exist_ok=True)
    _clear_leftovers(parent, name)
    aside = os.path.join(parent, f".{name}.new-{os.getpid()}-{os.urandom(3).hex()}")
    try:
        _clone(url, aside, target, say, submodules)
        if agree:
            agree(aside)
        _into_place(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def update(folder: str, url: str, target: Target, say: Say | None = None, agree: Say | None = None) -> None:
    """Bring a checkout to the target and lose nothing; raises NotReady that names what is in the way.

    `agree` is called with the folder when the target's commit is in it, before any file changes; it may raise.
    A branch of the checkout follows the one of the repository; one with commits of its own is left as it is.
    """
    url = check_url(url)
    before = state(folder, target.commit)
    if not before.is_repository:
        raise NotReady(f"{folder} is no git repository.", "Move it away, and clone anew.")
    if before.same and before.branch == (target.name if target.kind == "branch" else ""):
        return
    _require_no_work(folder, before, target)
    with _said(f"{folder} cannot be brought to {target.name}"), _opened(folder, url) as git:
        own = _own_commits(git, f"refs/heads/{target.name}") if target.kind == "branch" else ()
        if own:
            raise NotReady(
                f"The branch {target.name} in {folder} has commits that {url} does not have: {listed(own)}.",
                f'Keep them under another name: "git -C {folder} branch -m {target.name} NAME", or push them.',
            )
        _fetch(git, target, say, shallow=target.kind in ("release", "tag") and not _has_history(git))
        _require_room(git, folder, target.commit)
        _fetch_files(git, target.commit, say)
        if agree:
            agree(folder)
    with _said(f"{folder} cannot be brought to {target.name}"), _opened(folder) as git:
        _switch(git, target)


def fetch(folder: str, url: str, target: Target, say: Say | None = None) -> None:
    """Bring a target's commit and files into a checkout that could be switched to it; nothing is checked out."""
    url = check_url(url)
    _require_no_work(folder, state(folder, target.commit), target)
    with _said(f"{target.name} of {url} cannot be fetched"), _opened(folder, url) as git:
        _fetch(git, target, say, shallow=target.kind in ("release", "tag") and not _has_history(git))
        _require_room(git, folder, target.commit)
        _fetch_files(git, target.commit, say)


def fetch_to_compare(folder: str, url: str, commit: str) -> None:
    """Bring a single commit into a repository, its files left out where they can be; raises NotReady."""
    url = check_url(url)
    with _said(f"{commit[:12]} of {url} cannot be fetched"), _opened(folder, url) as git:
        if _has(git, commit):
            return
        options = ["--no-tags", *([] if _has_history(git) else ["--depth=1"])]
        if git.filtered:
            options.append(f"--filter={git.filtered}")
        git("fetch", "-q", "--no-write-fetch-head", *options, "origin", commit)
        git("update-ref", f"{KNOWN}/{commit}", commit)


def require_nothing_lost(folder: str) -> None:
    """Raise NotReady where removing a folder would lose work: changes, commits, stashes, files of somebody's own."""
    found = state(folder)
    if found.missing or (not found.is_repository and os.path.isdir(folder) and not os.listdir(folder)):
        return
    if not found.is_repository:
        raise NotReady(f"{folder} is no git repository; what it holds would be lost.", "Move it away.")
    with _said(f"{folder} cannot be looked at"), _opened(folder) as git:
        commits = _own_commits(git, "HEAD", "--branches", "--tags") if found.commit else ()
        stashes = _text(git("stash", "list", "--format=%gd %s")).splitlines() if _has_stash(git) else []
        untracked = _untracked(git)
    lost = [
        *([f"a {found.under_way} that is under way"] if found.under_way else []),
        *([f"changes in {listed(found.changed)}"] if found.changed else []),
        *([f"files that git does not track: {listed(untracked)}"] if untracked else []),
        *([f"commits: {listed(commits)}"] if commits else []),
        *([f"stashes: {listed([_printable(line) for line in stashes])}"] if stashes else []),
    ]
    if lost:
        raise NotReady(
            f"A new clone would lose what is in {folder}: {'; '.join(lost)}.",
            f'Push it, or move it away: "mv {folder} {folder}.mine"; or take --update, which loses nothing.',
        )


def _clone(url: str, folder: str, target: Target, say: Say | None, submodules: bool) -> None:
    """Fetch with as little as possible; a server that cannot leave anything out is asked for everything."""
    sparing = True
    while True:
        os.makedirs(folder, mode=0o700)
        _make(folder, url, len(target.commit), filtered="blob:none" if sparing else "")
        try:
            with _opened(folder, url) as git:
                shallow = sparing and target.kind in ("release", "tag")
                _fetch(git, target, say, shallow, everything=not shallow)
                _fetch_files(git, target.commit, say)
            with _opened(folder) as git:
                _switch(git, target)
            break
        except RuntimeError as problem:
            shutil.rmtree(folder, ignore_errors=True)
            if not (sparing and re.search("shallow|filter|dumb|not our ref|promisor|missing", str(problem))):
                raise NotReady(
                    f"{url} cannot be cloned: {problem}.",
                    "Put that right and try again; nothing is left of it.",
                ) from None
            sparing = False
    if submodules:
        _fetch_submodules(url, folder, say)


def _make(folder: str, url: str, digits: int, filtered: str) -> None:
    """Make an empty repository whose origin is the URL."""
    kind = ["--object-format=sha256"] if digits == 64 else []
    _git(None, "init", "-q", "--template=", *kind, "--", folder, bare=True)
    settings = {
        "remote.origin.url": url,
        "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
        **(
            {"remote.origin.promisor": "true", "remote.origin.partialclonefilter": filtered}
            if filtered
            else {}
        ),
    }
    for name, value in settings.items():
        _configure(os.path.join(folder, ".git"), name, value)


def _configure(git_dir: str, name: str, value: str) -> None:
    _git(None, "config", "--file", os.path.join(git_dir, "config"), name, value, bare=True)


def _fetch(
    git: _Repository, target: Target, say: Say | None, shallow: bool, everything: bool = False
) -> None:
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
    git.loudly("fetch", "--progress", "--no-write-fetch-head", *options, "origin", *specs, say=say)
    if not _has(git, target.commit):
        git.loudly("fetch", "--progress", "--no-write-fetch-head", *options, "origin", target.commit, say=say)
    git("update-ref", f"{KNOWN}/{target.commit}", target.commit)


def _fetch_files(git: _Repository, wanted: str, say: Say | None) -> None:
    """Bring the files of a commit that are not here yet, so that checking it out needs no network."""
    if not git.filtered:
        return
    objects = git("rev-list", "--objects", "--no-object-names", "--no-walk", "--missing=print", wanted)
    missing = [line[1:] for line in _text(objects).splitlines() if line.startswith("?")]
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


def _fetch_submodules(url: str, folder: str, say: Say | None) -> None:
    if say:
        say("Fetching submodules")
    try:
        _git(
            folder, "submodule", "--quiet", "update", "--init", "--recursive", "--depth=1",
            url=url, timeout=CLONE_TIMEOUT,
        )  # fmt: skip
    except RuntimeError as problem:
        raise NotReady(f"The submodules of {url} cannot be fetched: {problem}.", "Leave them out.") from None


def _switch(git: _Repository, target: Target) -> None:
    """Check the target out: a branch as a local branch that follows origin's, anything else detached."""
    options = ["-q", "--no-recurse-submodules", "--no-overwrite-ignore"]
    if target.kind == "branch":
        git.to_the_end("checkout", *options, "--no-track", "-B", target.name, target.commit, "--")
        _configure(git.common, f"branch.{target.name}.remote", "origin")
        _configure(git.common, f"branch.{target.name}.merge", target.ref)
    else:
        git.to_the_end("checkout", *options, "--detach", target.commit, "--")


def _require_no_work(folder: str, found: State, target: Target) -> None:
    """Raise NotReady where a checkout has changes, or commits that nothing would lead to any more."""
    if found.under_way:
        raise NotReady(
            f"A {found.under_way} is under way in {folder}.",
            f'Finish it, or give it up: "git -C {folder} {found.under_way} {_GIVE_UP[found.under_way]}".',
        )
    if found.changed:
        raise NotReady(
            f"{folder} has local changes, which {target.name} would overwrite: {listed(found.changed)}.",
            f'Keep them: "git -C {folder} stash", or commit them on a branch of your own.',
        )
    if found.commits and not found.branch:
        raise NotReady(
            f"{folder} has commits that are on no branch: {listed(found.commits)}.",
            f'Keep them: "git -C {folder} switch -c NAME".',
        )


def _require_room(git: _Repository, folder: str, wanted: str) -> None:
    """Raise NotReady where files that git does not track lie where the wanted commit has others."""
    new = _text(
        git("diff-tree", "-r", "--name-only", "--no-renames", "--diff-filter=A", "-z", "HEAD", wanted)
    )
    tracked = set(_text(git("ls-files", "-z")).split("\0"))
    taken = {path for name in new.split("\0") if name for path in _in_the_way(folder, name, tracked)}
    if taken:
        raise NotReady(
            f"{folder} has files that git does not track where {wanted[:12]} has others: {listed(sorted(taken))}.",
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
        if os.path.lexists(folder):
            from rigger.unpacked import exchange

            exchange(aside, folder)
        else:
            os.rename(aside, folder)
    except OSError as problem:
        raise NotReady(
            f"{folder} cannot be made: {problem.strerror}.", "Check who may write there."
        ) from None


def _clear_leftovers(parent: str, name: str) -> None:
    """Remove what a killed rigger left of a clone."""
    for entry in os.listdir(parent):
        match = re.fullmatch(rf"\.{re.escape(name)}\.new-([0-9]+)-[0-9a-f]+", entry)
        if match and process.process_start_time(int(match[1])) is None:
            shutil.rmtree(os.path.join(parent, entry), ignore_errors=True)


# ---- bundles ---------------------------------------------------------------------------------------------


def pack(folder: str) -> bytes:
    """Return a git bundle of all that the repository has; raises BadUsage.

    Of one that lacks history or files, what is checked out, with somebody's own commits on top: the rest would
    have to be fetched. Where its history begins is named in refs below `refs/rigger/shallow`.
    """
    try:
        with _opened(folder) as git:
            if _has_history(git) and "remote.origin.partialclonefilter" not in _own_settings(git.common):
                return git("bundle", "create", "-", "--all", "HEAD")
            return _pack_tip(git, local_base(folder))
    except RuntimeError as problem:
        raise BadUsage(f"git could not bundle {folder}: {problem}.") from None


def _pack_tip(git: _Repository, base: Sequence[str]) -> bytes:
    """Return a git bundle whose history begins at some commits."""
    head, branch = _head(git), _branch(git)
    refs = {f"{BEGINNING}/{commit}": commit for commit in base}
    refs |= {f"{KNOWN}/{commit}": commit for commit in base}
    refs |= {f"refs/heads/{branch}": head} if branch else {}
    for tag in {tag for commit in base for tag in _text(git("tag", "--points-at", commit)).splitlines()}:
        refs[f"refs/tags/{tag}"] = _text(git("rev-parse", f"refs/tags/{tag}"))
    with tempfile.TemporaryDirectory(prefix="rigger-git-") as aside:
        kind = ["--object-format=sha256"] if len(head) == 64 else []
        _git(None, "init", "-q", "--bare", "--template=", *kind, "--", aside, bare=True)
        os.makedirs(os.path.join(aside, "objects", "info"), exist_ok=True)
        _write(os.path.join(aside, "objects", "info", "alternates"), os.path.join(git.common, "objects"))
        _write(os.path.join(aside, "shallow"), *base)
        _git(aside, "update-ref", "--no-deref", "HEAD", head, bare=True)
        for name, value in refs.items():
            _git(aside, "update-ref", name, value, bare=True)
        return _git(aside, "bundle", "create", "-", "--all", "HEAD", bare=True)


def _write(path: str, *lines: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("".join(f"{line}\n" for line in lines))


def unpack(path: str, folder: str, wanted: str) -> None:
    """Make a repository from a git bundle and check a commit out; raises Refused. Nothing asks the network."""
    try:
        heads = _text(_git(None, "bundle", "list-heads", path, environ={"GIT_DIR": os.devnull}, bare=True))
        kind = ["--object-format=sha256"] if re.match("[0-9a-f]{64} ", heads) else []
        _git(None, "init", "-q", "--template=", *kind, "--", folder, bare=True)
        if beginning := re.findall(rf"(?m)^({COMMIT}) {BEGINNING}/", heads):
            _write(os.path.join(folder, ".git", "shallow"), *beginning)
        refs = ("heads", "tags", "remotes", "rigger/known")
        specs = [f"+refs/{kind}/*:refs/{kind}/*" for kind in refs] + [f"+HEAD:{HEAD}"]
        _git(
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
        known = re.fullmatch(COMMIT, wanted)
        _git(folder, "checkout", "-q", "--detach", wanted if known else HEAD, bare=True)
    except RuntimeError as problem:
        raise Refused(
            f"The checkout in the bundle cannot be made: {problem}.", "Get it again from whoever made it."
        ) from None


# ---- looking ---------------------------------------------------------------------------------------------


def _text(said: bytes) -> str:
    return said.decode("utf-8", "surrogateescape").strip()


def _head(git: _Repository) -> str:
    try:
        return _text(git("rev-parse", "--verify", "-q", "HEAD^{commit}"))
    except RuntimeError:
        return ""


def _branch(git: _Repository) -> str:
    try:
        return _text(git("symbolic-ref", "-q", "--short", "HEAD"))
    except RuntimeError:
        return ""


def _under_way(git: _Repository) -> str:
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
_GIVE_UP = {name: "reset" if name == "bisect" else "--abort" for name in _MARKS.values()}


def _origin(common: str) -> str:
    try:
        path = os.path.join(common, "config")
        return _text(_git(None, "config", "--file", path, "--no-includes", "remote.origin.url", bare=True))
    except RuntimeError:
        return ""


def _changed(git: _Repository) -> tuple[tuple[str, ...], int]:
    """Return the tracked files that were changed, and the number of those (and folders) that git does not track."""
    said = git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", IGNORE)
    entries = [entry for entry in said.decode("utf-8", "surrogateescape").split("\0") if entry]
    changed = tuple(entry[3:] for entry in entries if not entry.startswith(("??", "!!")))
    return changed, sum(entry.startswith("??") for entry in entries)


def _untracked(git: _Repository) -> list[str]:
    said = _text(git("ls-files", "-z", "--others", "--exclude-standard", "--directory"))
    return [name for name in said.split("\0") if name]


IGNORE = "--ignore-submodules=dirty"  # git would start itself in there, and read their settings


def _own_commits(git: _Repository, *refs: str) -> tuple[str, ...]:
    """Return "abc1234 subject" of the commits that no remote has; none for a ref that is not there."""
    try:
        said = git("log", "--no-show-signature", "--format=%h %s", *refs, "--not", *_remote_refs(), "--")
    except RuntimeError:
        return ()
    return tuple(_printable(line) for line in _text(said).splitlines())


def _remote_refs() -> list[str]:
    return ["--remotes", f"--glob={KNOWN}"]


def _has(git: _Repository, name: str) -> bool:
    try:
        git("cat-file", "-e", f"{name}^{{commit}}")
    except RuntimeError:
        return False
    return True


def _has_stash(git: _Repository) -> bool:
    try:
        return bool(git("rev-parse", "--verify", "-q", "refs/stash"))
    except RuntimeError:
        return False


def _has_history(git: _Repository) -> bool:
    return _text(git("rev-parse", "--is-shallow-repository")) == "false"


def _changed_scripts(git: _Repository, old: str, new: str) -> list[str]:
    """Return "changed contrib/x/create" for every file between two commits that may be run."""
    fields = git("diff-tree", "-r", "--raw", "--no-renames", "-z", old, new)
    parts = fields.decode("utf-8", "surrogateescape").split("\0")
    words = {"A": "added", "D": "removed"}
    found = []
    for head, name in zip(parts[::2], parts[1::2], strict=False):
        modes, letter = head.split()[:2], head.split()[-1]
        runs = any(mode.endswith("100755") for mode in modes)
        if runs or re.fullmatch(SCRIPTS, name):
            found.append(f"{words.get(letter, 'changed')} {_printable(name)}")
    return found


def listed(names: Sequence[str]) -> str:
    shown = ", ".join(_printable(name) for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


@contextlib.contextmanager
def _said(what: str) -> Iterator[None]:
    """Turn git's complaint into a sentence."""
    try:
        yield
    except RuntimeError as problem:
        raise NotReady(f"{what}: {problem}.", "Put that right and try again.") from None


# ---- running git -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Repository:
    """A repository that git works on with settings of rigger's: `url` is what it may reach, "" for nothing."""

    folder: str
    common: str  # where its refs and objects lie
    url: str
    environ: dict[str, str] = field(repr=False)
    filtered: str = ""  # what was left out of it, as --filter says it

    def __call__(self, *words: str, input: bytes = b"", timeout: float = TIMEOUT) -> bytes:
        return _git(None, *words, **self._how(), input=input, timeout=timeout)

    def loudly(self, *words: str, say: Say | None) -> None:
        """Run git and pass on its progress; Ctrl-C stops it and raises Interrupted."""
        _run(*words, **self._how(), say=say)

    def to_the_end(self, *words: str) -> None:
        """Run git where stopping half-way would leave a mixture; a Ctrl-C counts afterwards."""
        _run(*words, **self._how(), say=None, stoppable=False)

    def _how(self) -> dict:
        return {"environ": self.environ, "url": self.url, "bare": not self.url}


@contextlib.contextmanager
def _opened(folder: str, url: str = "") -> Iterator[_Repository]:
    """Give a repository to work on, whose own settings are set aside, by git's means for linked worktrees."""
    git_dir, common = _places(folder)
    own = _own_settings(common)
    with tempfile.TemporaryDirectory(prefix="rigger-git-") as shared:
        for name in _SHARED:
            os.symlink(os.path.join(common, name), os.path.join(shared, name))
        with open(os.path.join(shared, "config"), "w") as file:
            file.write(_settings(own, url))
        environ = {
            "GIT_DIR": git_dir,
            "GIT_COMMON_DIR": shared,
            "GIT_WORK_TREE": os.path.abspath(folder),
            "GIT_OPTIONAL_LOCKS": "0",
        }
        if not url:
            environ["GIT_NO_LAZY_FETCH"] = "1"
        filtered = own.get("remote.origin.partialclonefilter", "") if url else ""
        yield _Repository(folder, common, url, environ, filtered)


def _places(folder: str) -> tuple[str, str]:
    """Return the folders of HEAD and of the refs; git itself refuses the repository of a stranger."""
    said = _text(_git(folder, "rev-parse", "--absolute-git-dir", "--git-common-dir")).splitlines()
    return said[0], os.path.normpath(os.path.join(os.path.abspath(folder), said[1]))


def _own_settings(common: str) -> dict[str, str]:
    path = os.path.join(common, "config")
    said = _git(None, "config", "--file", path, "--no-includes", "--list", "-z", bare=True)
    pairs = (entry.partition("\n") for entry in said.decode("utf-8", "surrogateescape").split("\0"))
    return {
        name: value for name, _, value in pairs if name in _OWN and re.fullmatch("[A-Za-z0-9:._-]*", value)
    }


def _settings(own: dict[str, str], url: str) -> str:
    """Return the text of a configuration: what a repository may say about itself, and the URL it is fetched from."""
    lines = ["[core]", "repositoryformatversion = 1", "bare = false", "logAllRefUpdates = true"]
    for name, value in own.items():
        section, _, key = name.rpartition(".")
        if section != "remote.origin":
            lines += [f"[{section}]", f"{key} = {value}"]
        elif url:
            lines += ['[remote "origin"]', f"{key} = {value}"]
    if url:
        escaped = url.replace("\\", "\\\\").replace('"', '\\"')
        lines += ['[remote "origin"]', f'url = "{escaped}"']
    return "\n".join(lines) + "\n"


def _command(words: Sequence[str], folder: str | None) -> list[str]:
    settings = [word for setting in _SAFE for word in ("-c", setting)]
    return ["git", *(["-C", folder] if folder else []), *settings, *words]


def _environ(url: str, bare: bool, extra: dict[str, str] | None) -> dict[str, str]:
    """Return the environment of git: nothing of whoever called rigger steers it, and nobody is asked anything."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SSH_ASKPASS"))
    }
    environ |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ALLOW_PROTOCOL": protocols(url) if url else "none",
        "LC_ALL": "C",
    }
    if bare:
        environ |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    return environ | (extra or {})


def _git(
    folder: str | None,
    *words: str,
    bare: bool = False,
    url: str = "",
    environ: dict[str, str] | None = None,
    input: bytes = b"",
    timeout: float = TIMEOUT,
) -> bytes:
    """Run git and return what it printed; raises RuntimeError with its last line. `bare` ignores the user's settings."""
    command, environ = _command(words, folder), _environ(url, bare, environ)
    with _needed(timeout):
        said = process.capture(command, env=environ, input=input, timeout=timeout, limit=LARGEST)
    if said.exit_code:
        raise RuntimeError(_complaint(said.errors, said.exit_code))
    return said.output


def _run(
    *words: str,
    environ: dict[str, str],
    url: str,
    bare: bool,
    say: Say | None,
    stoppable: bool = True,
) -> None:
    """Run git, passing on what it says; raises RuntimeError with its last line, Interrupted on Ctrl-C."""
    heard = _Heard(say)
    with process.Interrupts() as interrupts:
        with _needed(CLONE_TIMEOUT):
            outcome = process.run(
                _command(words, None),
                cwd="/",
                env=_environ(url, bare, environ),
                sink=heard.take,
                interrupts=interrupts if stoppable else process.Interrupts(),
                timeout=CLONE_TIMEOUT,
                grace=STOP_GRACE,
            )
        stopped = interrupts.requested()
    if stopped:
        raise Interrupted("Interrupted.", "Nothing is left half-made; type the same command to begin again.")
    if outcome.timed_out:
        raise RuntimeError(f"it was not done after {process.in_words(CLONE_TIMEOUT)}")
    if outcome.exit_code:
        raise RuntimeError(_complaint(heard.last, outcome.exit_code))


class _Heard:
    """What git says while it works: its progress for whoever watches, the end of it for a complaint."""

    def __init__(self, say: Say | None):
        self.say = say
        self.last = b""
        self._said_at = 0.0

    def take(self, block: bytes) -> None:
        self.last = (self.last + block)[-4096:]
        now = time.monotonic()
        found = re.findall(rb"[A-Z][a-z]+ [a-z]+: +[^\r\n]*%[^\r\n]*", block)
        if self.say and found and now - self._said_at >= SAY_EVERY:
            self._said_at = now
            self.say(_printable(found[-1].decode("utf-8", "replace").strip()))


@contextlib.contextmanager
def _needed(timeout: float) -> Iterator[None]:
    try:
        yield
    except StepFailed as problem:
        if "did not end" in problem.message:
            raise RuntimeError(f"there was no answer within {process.in_words(timeout)}") from None
        raise NotReady(
            f"git is needed for the platform's checkout: {problem.message}", "Install git and try again."
        ) from None


def _complaint(errors: bytes, exit_code: int) -> str:
    """Return the line of git's errors that says most: the first that it calls fatal, or ssh's before it."""
    lines = [line.strip() for line in re.split(r"[\r\n]", errors.decode("utf-8", "replace")) if line.strip()]
    complaints = [
        n for n, line in enumerate(lines) if line.startswith(("fatal: ", "error: ", "remote: fatal"))
    ]
    if not lines:
        return f"it exited {exit_code}"
    number = complaints[0] if complaints else len(lines) - 1
    if number and "Could not read from remote repository" in lines[number]:
        number -= 1
    line = re.sub(r"^(remote: )?(fatal|error): ", "", lines[number])
    return _printable(line).rstrip(".")
