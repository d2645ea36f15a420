"""Which release, ref or folder a platform is wanted from, as values say it."""

from __future__ import annotations

import os
import re

from rigger import versions
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.git.remote import Target

SOURCE = "PLATFORM_SOURCE"  # which of the three; asked, but not stored: it follows from the others
RELEASE, REF, FOLDER = "release", "ref", "folder"
DECIDE = (SOURCE, "REPOSITORY", "VERSION", "REF", "CHECKOUT")  # the values that say what is checked out
SAYS = {"CHECKOUT": FOLDER, "REF": REF, "VERSION": RELEASE}  # the first of these that has a value

ANOTHER_FOLDER = 'Name another: "rigger configure --path FOLDER".'
UNVERSIONED = "unversioned"  # the version of a folder that git knows nothing of

UTF8 = ("utf-8", "surrogateescape")


@frozen
class SourceSpec:
    """What of which repository; two that are equal need the same checkout."""

    source: str
    url: str  # empty for a folder
    name: str  # a release as versions.plain has it; a branch, tag or commit; a folder

    @classmethod
    def of(cls, values: Mapping[str, str]) -> SourceSpec | None:
        """Return what the values ask for, None as long as they do not say enough."""
        source = values.get(SOURCE) or stored_source(values)
        if source == FOLDER:
            return cls(FOLDER, "", values["CHECKOUT"]) if values.get("CHECKOUT") else None
        name = values.get("REF" if source == REF else "VERSION", "")
        if not source or not name or not values.get("REPOSITORY"):
            return None
        return cls(source, values["REPOSITORY"], versions.plain(name) if source == RELEASE else name)


def stored_source(values: Mapping[str, str]) -> str:
    """Return which of the three sources stored values mean, nothing where they mean none."""
    return next((source for name, source in SAYS.items() if values.get(name)), "")


@frozen
class Checkout:
    """A folder that has what is wanted, its version, and how it was come by if it was cloned just now."""

    folder: str
    version: str
    url: str = ""
    target: Target | None = None

    @property
    def is_new(self) -> bool:
        return self.target is not None


def is_bare(folder: str) -> bool:
    """Return whether a folder looks like a git repository without files."""
    return all(os.path.exists(os.path.join(folder, name)) for name in ("HEAD", "objects", "refs"))


def same_repository(one: str, other: str) -> bool:
    """Return whether two URLs lead to one repository: https or ssh, with or without .git."""

    def place(url: str) -> str:
        web = re.fullmatch(r"(?:https://|ssh://(?:[^@/]+@)?|[^@/:]+@)([^/:]+)[:/](.+)", url)
        path = f"{web[1].lower()}/{web[2].lstrip('/')}" if web else url
        return path.rstrip("/").removesuffix(".git")

    return place(one) == place(other)


def same_release(one: str, other: str) -> bool:
    return versions.is_same(one, other)
