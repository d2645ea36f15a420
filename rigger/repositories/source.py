"""What a repository is: a folder, a file, an index on the web, or a git repository; and how its index is read."""

from __future__ import annotations

import contextlib
import os
import re

from rigger import download
from rigger.errors import BadUsage, NotReady, RiggerError
from rigger.files import temporary_folder
from rigger.git import clone as git_clone
from rigger.git import remote as git_remote
from rigger.git.urls import check_url, is_local
from rigger.modules import manifest
from rigger.modules.contract import MANIFEST, NAME
from rigger.repositories.index import FILE, MOST_BYTES, Component, Index, Version, parse
from rigger.trust.digests import digest
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER, INDEX, WEB, GIT = "folder", "file", "web", "git"
SECONDS = 60.0  # that an index may take to arrive


@frozen
class Source:
    """A repository: of which kind, and where."""

    kind: str
    url: str


@frozen
class Fetched:
    """The index of a repository with what its folders say, and the commit that they were read at."""

    index: Index
    commit: str = ""
    declared: frozenset[str] = frozenset()  # NAME@VERSION whose digest the index itself gives
    problems: tuple[str, ...] = ()  # in a sentence each: folders that cannot be used


def source_of(text: str) -> Source:
    """Return what a person means by a URL or folder; raises BadUsage or Refused for what cannot be one."""
    if re.match(r"https?://[^?#]*\.ya?ml(?:[?#]|$)", text):
        return Source(WEB, download.check_url(text))
    path = os.path.abspath(os.path.expanduser(text))
    if os.path.isfile(path):
        return Source(INDEX, path)
    if os.path.isfile(os.path.join(path, FILE)):
        return Source(FOLDER, path)
    if "://" not in text and not is_local(text) and ":" not in text and not os.path.isdir(path):
        raise BadUsage(
            f"There is no folder and no file {path}, and {text!r} is no URL.",
            f"Name a folder with {FILE}, an index, a URL that ends in .yaml, or a git repository.",
        )
    return Source(GIT, _git(text, path))


def _git(text: str, path: str) -> str:
    is_git = any(os.path.exists(os.path.join(path, name)) for name in (".git", "HEAD"))
    if os.path.isdir(path) and not is_git:
        raise BadUsage(
            f"{path} has no {FILE}, and is no git repository.",
            "Write an index there: rigger docs repositories",
        )
    if is_local(text) and not os.path.exists(path):
        raise BadUsage(f"There is no folder {path}.", "Name a folder, an index, or the URL of a repository.")
    return check_url(path if os.path.isdir(path) else text)


def usual_name(source: Source, index: Index) -> str:
    """Return the name that a repository gets: its own, else one made of where it is."""
    place = source.url.rstrip("/").removesuffix(".git")
    if source.kind in (INDEX, WEB):
        stem = os.path.splitext(os.path.basename(place))[0]
        place = os.path.dirname(place) if stem == os.path.splitext(FILE)[0] else stem
    text = index.name or re.split("[/:]", place)[-1]
    name = re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")[:63]
    return name if re.fullmatch(NAME, name) else "modules"


def read(source: Source, target: git_remote.Target | None = None) -> Fetched:
    """Read the index of a repository; raises NotReady where it cannot be reached, Refused for one that is none."""
    if source.kind == WEB:
        data = download.read(source.url, MOST_BYTES, SECONDS)
        return _declared(Fetched(parse(data, source.url)))
    with tree(source, "") as (folder, commit):
        name = os.path.basename(source.url) if source.kind == INDEX else FILE
        place = source.url if source.kind == INDEX else f"{source.url}/{FILE}"
        index = parse(_bytes(os.path.join(folder, name), place), place)
        return _looked_into(_declared(Fetched(index, commit)), folder)


@contextlib.contextmanager
def tree(source: Source, commit: str) -> Iterator[tuple[str, str]]:
    """Give the folder that an index and its modules are in, and its commit: for git a clone that is gone afterwards."""
    if source.kind != GIT:
        yield (os.path.dirname(source.url) if source.kind == INDEX else source.url), ""
        return
    with cloned(source.url, commit) as (folder, at):
        yield folder, at


@contextlib.contextmanager
def cloned(url: str, commit: str = "") -> Iterator[tuple[str, str]]:
    """Give a clone of a git repository at a commit, by default that of its default branch; raises NotReady, BadUsage."""
    target = git_remote.resolve(url, ref=commit)
    with temporary_folder("rigger-repository-") as aside:
        folder = os.path.join(aside, "clone")
        git_clone.clone(url, folder, target)
        yield folder, target.commit


def _bytes(path: str, place: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise BadUsage(f"There is no index {place}.", "Write one: rigger docs repositories") from None
    except OSError as problem:
        raise NotReady(f"{place} cannot be read: {problem.strerror}.", "Check who may read it.") from None


def _declared(fetched: Fetched) -> Fetched:
    given = {
        f"{component.name}@{version.version}"
        for component in fetched.index.components
        for version in component.versions
        if version.digest
    }
    return replace(fetched, declared=frozenset(given))


def _looked_into(fetched: Fetched, top: str) -> Fetched:
    """Return an index with what the folders beside it say of themselves: digests, labels, descriptions."""
    problems: list[str] = []
    components = tuple(_component(one, top, problems) for one in fetched.index.components)
    return replace(fetched, index=replace(fetched.index, components=components), problems=tuple(problems))


def _component(component: Component, top: str, problems: list[str]) -> Component:
    versions, description = [], component.description
    for version in component.versions:
        folder = os.path.join(top, version.folder)
        if not version.folder or version.git:
            versions.append(version)
            continue
        if not is_inside(folder, top) or not os.path.isfile(os.path.join(folder, MANIFEST)):
            problems.append(
                f"{component.name} {version.version}: there is no {MANIFEST} in {version.folder}."
            )
            versions.append(version)
            continue
        try:
            module = manifest.load(folder)
            labels, description = {**module.labels, **version.labels}, description or module.description
        except RiggerError as problem:
            problems.append(f"{component.name} {version.version}: {problem.message}")
            labels = {**version.labels}
        versions.append(_found(version, folder, labels))
    return replace(component, versions=tuple(versions), description=description)


def is_inside(folder: str, top: str) -> bool:
    """Return whether a folder is in another one, with all links followed."""
    return os.path.realpath(folder).startswith(f"{os.path.realpath(top).rstrip(os.sep)}{os.sep}")


def _found(version: Version, folder: str, labels: dict[str, str]) -> Version:
    return replace(version, labels=labels, digest=version.digest or f"sha256:{digest(folder)}")
