"""The index of a repository: which modules it has, in which versions, and where each of them is.

The form is that of the repositories of Epiphany's modules (`version: v1`, `kind: Repository`), read there by
epiphany-platform/cli, internal/repository/repository.go. `description`, `labels`, `folder`, `git`, `commit` and `digest`
are rigger's own.
"""

from __future__ import annotations

import os
import re

from rigger import versions
from rigger.errors import BadUsage, Refused, RiggerError
from rigger.git.urls import check_url
from rigger.modules import yaml as yaml_reader
from rigger.modules.shapes import (
    FLAG,
    MODULE_NAME,
    TEXT,
    TEXT_MAP,
    TEXTS,
    Entry,
    Shape,
    list_of,
    matching,
    record,
)
from rigger.text import did_you_mean, listed
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.modules.yaml import Field

FILE = "v1.yaml"  # an index, in a folder or a git repository
VERSION, KIND = "v1", "Repository"
MOST_BYTES = 8 << 20
MOST_NODES = 400_000


@frozen
class Command:
    """One command of a component's image."""

    name: str
    description: str = ""
    command: str = ""
    envs: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()


@frozen
class Version:
    """One version of a module: an image with its commands, or where the folder of the module is."""

    version: str
    latest: bool = False
    image: str = ""
    workdir: str = ""
    mounts: tuple[str, ...] = ()
    shared: str = ""
    commands: tuple[Command, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""  # relative to the index, or to the top of the git repository
    git: str = ""  # a URL
    commit: str = ""
    digest: str = ""  # of the module's files, or of the image: sha256:...


@frozen
class Component:
    """A module of a repository, in all its versions."""

    name: str
    versions: tuple[Version, ...]
    type: str = ""
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def latest(self) -> Version:
        """Return the version that is meant where none is named: the one marked as latest, else the newest."""
        marked = [one for one in self.versions if one.latest]
        newest = versions.newest_first(one.version for one in self.versions)[0]
        return marked[0] if marked else self.version(newest)

    def version(self, wanted: str) -> Version:
        """Return the version of that name, by default the latest; raises BadUsage where there is none."""
        if not wanted:
            return self.latest()
        for one in self.versions:
            if one.version == wanted:
                return one
        known = [one.version for one in self.versions]
        raise BadUsage(
            f"There is no {self.name} of version {wanted}{did_you_mean(wanted, known)}.",
            f"There is: {listed(known)}.",
        )

    def every_label(self, version: Version) -> dict[str, str]:
        """Return the labels of one of its versions, with those that every add-on has."""
        own = {"name": self.name, "role": "addon", "addon": self.name, "version": version.version}
        return {**own, **self.labels, **version.labels}


@frozen
class Index:
    """What an index says."""

    components: tuple[Component, ...]
    name: str = ""


def parse(data: bytes, place: str) -> Index:
    """Return what an index says; raises Refused with its place, line and field."""
    if len(data) > MOST_BYTES:
        raise Refused(f"{place} is larger than {MOST_BYTES} bytes.", "An index has names and places alone.")
    root = yaml_reader.parse(data, place, MOST_NODES)
    entries = root.entries()
    for name, expected in (("version", VERSION), ("kind", KIND)):
        if name not in entries:
            raise root.refuse(f"the field {name!r} is missing: it is no index of a repository")
        if entries[name].text() != expected:
            raise entries[name].refuse(_other(name, entries[name].text(), expected))
    fields = _INDEX.read(root)
    return Index(fields["components"], fields.get("name", ""))


def _other(name: str, found: str, expected: str) -> str:
    later = re.fullmatch("v([0-9]{1,9})", found)
    if name == "version" and later and int(later[1]) > 1:
        return f"is {found}, and this rigger reads {expected}; a later rigger may read it"
    return f"is {found!r}, not {expected}"


def _component(at: Field) -> Component:
    component = Component(**_COMPONENT.read(at))
    if not component.versions:
        raise at.refuse(f"{component.name} has no version")
    names = [one.version for one in component.versions]
    if twice := [name for name in names if names.count(name) > 1]:
        raise at.refuse(f"{component.name} has the version {twice[0]} twice")
    if len([one for one in component.versions if one.latest]) > 1:
        raise at.refuse(f"{component.name} has several versions that are the latest")
    return component


def _components(at: Field) -> tuple[Component, ...]:
    components = tuple(_component(one) for one in at.items())
    seen: set[str] = set()
    for component, one in zip(components, at.items(), strict=True):
        if component.name in seen:
            raise one.refuse(f"{component.name} is there twice")
        seen.add(component.name)
    return components


def _version(at: Field) -> Version:
    version = Version(**_VERSION.read(at))
    if bool(version.image) + bool(version.folder or version.git) != 1:
        raise at.refuse(f"{version.version} needs one of image, folder and git")
    if bool(version.git) != bool(version.commit):
        raise at.refuse(f"{version.version} needs git and commit together")
    return version


def _folder(at: Field) -> str:
    text = at.text()
    normal = os.path.normpath(text)
    if not text or not text.isprintable() or normal.startswith((os.sep, os.pardir)):
        raise at.refuse(f"{text!r} is no folder beside the index: a relative path without ..")
    return normal


def _git(at: Field) -> str:
    if at.text().startswith((".", "~")):
        raise at.refuse(f"{at.text()!r} is another folder on every machine")
    try:
        return check_url(at.text())
    except RiggerError as problem:
        raise at.refuse(problem.message.rstrip(".")) from None


def _matching(pattern: str, what: str) -> Shape:
    return matching(pattern, lambda text: f"{text!r} is no {what}")


_COMMAND = record(
    (
        Entry("name", TEXT, "", required=True),
        Entry("description", TEXT, ""),
        Entry("command", TEXT, ""),
        Entry("envs", TEXT_MAP, ""),
        Entry("args", TEXTS, ""),
    )
)
_VERSION = record(
    (
        Entry("version", _matching(r"[^\s@]+", "version: one word without @"), "", required=True),
        Entry("latest", FLAG, ""),
        Entry("image", TEXT, ""),
        Entry("workdir", TEXT, ""),
        Entry("mounts", TEXTS, ""),
        Entry("shared", TEXT, ""),
        Entry("commands", list_of(Shape(lambda at: Command(**_COMMAND.read(at)), dict)), ""),
        Entry("labels", TEXT_MAP, ""),
        Entry("folder", Shape(_folder, dict), ""),
        Entry("git", Shape(_git, dict), ""),
        Entry("commit", _matching("[0-9a-f]{40}|[0-9a-f]{64}", "whole commit: 40 or 64 digits of hex"), ""),
        Entry("digest", _matching("sha256:[0-9a-f]{64}", "digest: sha256: and 64 digits of hex"), ""),
    )
)
_COMPONENT = record(
    (
        Entry("name", MODULE_NAME, "", required=True),
        Entry("type", TEXT, ""),
        Entry("description", TEXT, ""),
        Entry("labels", TEXT_MAP, ""),
        Entry("versions", list_of(Shape(_version, dict)), "", required=True),
    )
)
_INDEX = record(
    (
        Entry("version", TEXT, ""),
        Entry("kind", TEXT, ""),
        Entry("name", TEXT, ""),
        Entry("components", Shape(_components, dict), "", required=True),
    )
)


def of_data(data: Mapping[str, Any]) -> Index:
    """Return the index that `asdict` made data of."""
    return Index(tuple(map(_kept_component, data["components"])), data["name"])


def _kept_component(data: Mapping[str, Any]) -> Component:
    return Component(**{**data, "versions": tuple(map(_kept_version, data["versions"]))})


def _kept_version(data: Mapping[str, Any]) -> Version:
    commands = (Command(**{**one, "args": tuple(one["args"])}) for one in data["commands"])
    return Version(**{**data, "mounts": tuple(data["mounts"]), "commands": tuple(commands)})
