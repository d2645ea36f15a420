"""Ask a remote repository for its releases and refs, and keep a cached clone of its history."""

from __future__ import annotations

import contextlib
import os
import re
import shlex

from rigger import versions
from rigger.errors import BadUsage, NotReady, Refused
from rigger.files import temporary_folder
from rigger.git import runner as git_runner
from rigger.git.errors import AmbiguousCommit, GitError, GitTimedOut, NoSuchCommit
from rigger.git.place import is_repository
from rigger.git.runner import TIMEOUT, Repository, text_of
from rigger.git.urls import check_ref, check_url
from rigger.sha256 import sha256
from rigger.text import SHOWN, did_you_mean, listed, printable
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ASK_TIMEOUT = 60.0  # seconds that a server has to list its refs


COMMIT = r"[0-9a-f]{40}|[0-9a-f]{64}"


@frozen
class Target:
    """What to check out: a commit, and what it was asked for by."""

    commit: str
    name: str  # a release as its tag is written, a branch, a tag, or the commit
    kind: str  # release | branch | tag | commit
    ref: str = ""  # its full name, refs/tags/v1.2.3; nothing for a commit


# ---- what a repository offers ----------------------------------------------------------------------------


@frozen
class Offer:
    """The tags of a repository: those that are its versions, newest first, and those that are not."""

    releases: tuple[str, ...]
    others: tuple[str, ...]  # that are no version at all
    named: tuple[str, ...] = ()  # versions of other things: rose-1.0 where tulip is wanted


def offer(url: str, name: str = "", timeout: float = ASK_TIMEOUT) -> Offer:
    """Return the released versions as their tags are written, of a platform where several share a repository.

    `timeout` is in seconds. Raises NotReady where the repository cannot be reached.
    """
    url = check_url(url)
    return _offer(_refs(url, timeout)[0], _names(url, name))


def releases(url: str, name: str = "", timeout: float = ASK_TIMEOUT) -> tuple[str, ...]:
    """Return what a repository offers, newest first; raises NotReady where it cannot be reached."""
    return offer(url, name, timeout).releases


def resolve(
    url: str, version: str = "", ref: str = "", timeout: float = ASK_TIMEOUT, cache: str = ""
) -> Target:
    """Return the full commit of a release, or of a branch, tag or commit; neither: of the default branch.

    `timeout` is in seconds; `cache` is a folder that keeps copies of histories, none: for this call alone. Raises
    BadUsage for what the repository does not have, NotReady where it cannot
    be reached.
    """
    url = check_url(url)
    asked = check_ref(version or ref or "HEAD")
    refs, default = _refs(url, timeout)
    if version:
        return _release(url, refs, asked)
    if asked == "HEAD":
        return _default(url, refs, default)
    named = _named(url, refs, asked)
    if named:
        return named
    if re.fullmatch("[0-9a-fA-F]{4,64}", asked):
        return _commit(url, refs, asked.lower(), timeout, cache)
    problem = _no_such(
        url, "branch or tag", asked, [ref.split("/", 2)[2] for ref in refs if ref.count("/") > 1]
    )
    if default in refs:  # a branch may have been renamed
        problem.next_step += f" Its default branch is {printable(default.removeprefix('refs/heads/'))}."
    raise problem


def _default(url: str, refs: dict[str, str], branch: str) -> Target:
    """Return the default branch, whatever it is called, or the commit where a repository's HEAD is detached."""
    if named := _named(url, refs, branch):
        return named
    if commit := refs.get("HEAD"):
        return Target(commit, commit, "commit")
    branches = [ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")]
    raise BadUsage(
        f"{url} has no default branch: its HEAD names a branch that is not there.",
        f"Name a branch, tag or commit with --ref; it has the branches {listed(branches)}."
        if branches
        else "It is empty: push something to it first.",
    )


def _refs(url: str, timeout: float) -> tuple[dict[str, str], str]:
    """Return every ref of a repository with its commit, annotated tags peeled, and the default branch's ref."""
    environ = {"GIT_DIR": os.devnull}  # whatever repository rigger is called in has no say
    try:
        output = git_runner.git(
            None, "ls-remote", "--symref", "--", url, url=url, environ=environ, timeout=timeout
        )
    except GitError as problem:
        raise NotReady(
            f"{url} cannot be reached: {problem}.",
            problem.next_step(
                f"Check the URL, the network, and that git may read it: git ls-remote {shlex.quote(url)}"
            ),
        ) from None
    refs, default = {}, ""
    for line in output.decode("utf-8", "surrogateescape").splitlines():
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


def _names(url: str, name: str = "") -> tuple[str, str]:
    """Return what the versions of a repository may be called by: the platform's name, and the repository's."""
    return name, re.split("[/:]", url.rstrip("/").removesuffix(".git").removesuffix("/"))[-1]


def _tags(refs: dict[str, str]) -> list[str]:
    return [ref.removeprefix("refs/tags/") for ref in refs if ref.startswith("refs/tags/")]


def _offer(refs: dict[str, str], names: Sequence[str]) -> Offer:
    tags = _tags(refs)
    others = tuple(tag for tag in tags if versions.parse(tag) is None)
    found = versions.of_one(tags, names)
    named = () if found else tuple(versions.newest_first(set(tags) - set(others)))
    return Offer(tuple(found), others, named)


def _release(url: str, refs: dict[str, str], version: str) -> Target:
    found = versions.find(version, _tags(refs))
    if len(found) > 1:
        found = versions.of_one(found, _names(url)) or found
    if len(found) > 1:
        raise BadUsage(f"{url} has several tags of {version!r}.", f"Name one: {listed(found)}.")
    if found:
        ref = f"refs/tags/{found[0]}"
        return Target(refs[ref], found[0], "release", ref)
    raise _no_such(url, "release", version, _offer(refs, _names(url)).releases)


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
    newest = ", ".join(list(known)[:SHOWN]) or "none"
    label = "It has" if len(known) <= SHOWN else "Among others it has"
    if kind == "release":
        label = "Its newest"
    return BadUsage(f"{url} has no {kind} {name!r}{did_you_mean(name, known)}.", f"{label}: {newest}.")


def _commit(url: str, refs: dict[str, str], asked: str, timeout: float, cache: str) -> Target:
    """Return a commit that no ref is named like; it is looked for in a copy of the history alone."""
    matches = {value for value in refs.values() if value.startswith(asked)}
    if len(matches) == 1 and re.fullmatch(COMMIT, asked):
        return Target(asked, asked, "commit")
    with _history(url, asked, timeout, cache) as git:
        try:
            commit = full_commit(git, asked)
        except AmbiguousCommit:
            raise BadUsage(f"{url} has several commits {asked!r}.", "Give more digits of it.") from None
        except GitError:
            raise BadUsage(
                f"{url} has no branch, tag or commit {asked!r}.", "Give a branch, a tag, or a full commit."
            ) from None
    return Target(commit, commit, "commit")


def full_commit(git: Repository, digits: str) -> str:
    """Return the commit that begins with some digits; raises NoSuchCommit, and AmbiguousCommit where several do."""
    try:
        return text_of(git("rev-parse", "--verify", "--end-of-options", f"{digits}^{{commit}}"))
    except GitTimedOut:
        raise
    except GitError as problem:
        several = len(text_of(git("rev-parse", f"--disambiguate={digits}")).splitlines()) > 1
        kind = AmbiguousCommit if several else NoSuchCommit
        raise kind(problem.complaint, problem.exit_code) from None


@contextlib.contextmanager
def _history(url: str, asked: str, timeout: float, cache: str) -> Iterator[Repository]:
    if cache:
        with _cached(url, asked, timeout, cache) as git:
            yield git
        return
    with (
        temporary_folder("rigger-history-") as folder,
        _cached(url, asked, timeout, folder) as git,
    ):
        yield git


@contextlib.contextmanager
def _cached(url: str, asked: str, timeout: float, cache: str) -> Iterator[Repository]:
    """Give a repository of rigger's own that has all commits of another, and no files."""

    name = sha256(url.encode()).hexdigest()[:24]
    folder = os.path.join(cache, "repositories", name)
    if not is_repository(folder):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        make_repository(folder, url, 64 if len(asked) == 64 else 40, filtered="tree:0")
    specs = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
    if re.fullmatch(COMMIT, asked):
        specs = [asked]  # one that no branch leads to any more; many servers still give it
    with git_runner.opened(folder, url) as git:
        try:
            git(
                "fetch", "-q", "--no-tags", "--filter=tree:0", "origin", *specs, timeout=max(timeout, TIMEOUT)
            )
        except GitError as problem:
            if len(specs) > 1:
                raise NotReady(
                    f"{url} cannot be fetched: {problem}.", problem.next_step("Try again.")
                ) from None
        yield git


def make_repository(folder: str, url: str, digits: int, filtered: str) -> None:
    """Make an empty repository whose origin is the URL."""
    kind = ["--object-format=sha256"] if digits == 64 else []
    git_runner.git(None, "init", "-q", "--template=", *kind, "--", folder, bare=True)
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
        set_config(os.path.join(folder, ".git"), name, value)


def set_config(git_dir: str, name: str, value: str) -> None:
    git_runner.git(None, "config", "--file", os.path.join(git_dir, "config"), name, value, bare=True)


def unset_config(git_dir: str, name: str) -> None:
    path = os.path.join(git_dir, "config")
    git_runner.git(None, "config", "--file", path, "--unset-all", name, bare=True)
