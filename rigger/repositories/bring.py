"""Bring the files of one version of a module here, and hold them to the digest that they should have."""

from __future__ import annotations

import contextlib
import os
import shutil

from rigger.errors import BadUsage, NotReady, Refused
from rigger.files import saying_what_failed
from rigger.modules import manifest
from rigger.modules.contract import MANIFEST
from rigger.repositories.image import write_component
from rigger.repositories.source import Source, cloned, is_inside, tree
from rigger.text import ways
from rigger.trust.digests import NOT_SCRIPTS, digest
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.modules.model import Module
    from rigger.repositories.index import Component, Version
    from rigger.repositories.store import Repository

UNVERSIONED = "none"  # what an index calls the version of a module that has none


@frozen
class Offer:
    """One version of a module that a repository has."""

    repository: Repository
    component: Component
    version: Version

    @property
    def name(self) -> str:
        return self.component.name

    @property
    def labels(self) -> dict[str, str]:
        return self.component.every_label(self.version)

    @property
    def place(self) -> str:
        """Where its files are, for people."""
        top = self.version.git or self.repository.url
        return f"{top}, {self.version.folder}" if self.version.folder else top


def offers(repositories: list[Repository]) -> list[Offer]:
    """Return the latest version of each module of each repository."""
    return [Offer(one, each, each.latest()) for one in repositories for each in one.index.components]


@contextlib.contextmanager
def brought(offer: Offer, into: str) -> Iterator[tuple[Module, str]]:
    """Copy the files of a module into a folder that is not there yet; gives the module, and the commit of its repository.

    Raises NotReady where they cannot be had, Refused where they are not those that the index says.
    """
    if offer.version.image:
        write_component(offer.component, offer.version, into)
        yield manifest.load(into), ""
        return
    with _tree(offer) as (top, commit):
        folder = os.path.join(top, offer.version.folder)
        inside = folder == top or is_inside(folder, top) or os.path.samefile(folder, top)
        if not inside or not os.path.isfile(os.path.join(folder, MANIFEST)):
            raise NotReady(
                f"{offer.repository.name} has no {MANIFEST} of {offer.name} {offer.version.version} in {offer.place}.",
                _update(offer),
            )
        _require_no_way_out(offer, folder)
        with saying_what_failed(into):
            shutil.copytree(folder, into, symlinks=True, ignore=shutil.ignore_patterns(*NOT_SCRIPTS))
    _require_digest(offer, f"sha256:{digest(into)}")
    module = manifest.load(into)
    said = (module.role, module.name, module.version or UNVERSIONED)
    wanted = ("addon", offer.name, offer.version.version)
    for what, found, expected in zip(("role", "name", "version"), said, wanted, strict=True):
        if found != expected:
            raise Refused(
                f"{offer.repository.name} says {what} {expected} of {offer.place}, and its {MANIFEST} says "
                f"{found or 'nothing'}.",
                "Tell whoever keeps that repository.",
            )
    yield module, commit


@contextlib.contextmanager
def _tree(offer: Offer) -> Iterator[tuple[str, str]]:
    version, repository = offer.version, offer.repository
    if version.git:
        with cloned(version.git, version.commit) as found:
            yield found
    elif repository.kind == "web":
        raise BadUsage(
            f"{offer.name} {version.version} of {repository.name} is in a folder, {version.folder}, which an index on the "
            "web cannot give.",
            "Its index has to name git and commit; tell whoever keeps it.",
        )
    else:
        with tree(Source(repository.kind, repository.url), repository.commit) as found:
            yield found


def _require_no_way_out(offer: Offer, folder: str) -> None:
    """Raise Refused where a link of a module leads out of its folder, or something is neither file nor folder."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in NOT_SCRIPTS]
        for path in (os.path.join(parent, name) for name in (*folders, *names)):
            plain = os.path.isfile(path) or os.path.isdir(path) or os.path.islink(path)
            if not plain or not is_inside(path, folder) or os.path.isabs(_target(path)):
                raise Refused(
                    f"{os.path.relpath(path, folder)} of {offer.name} {offer.version.version} is a link that leads out of "
                    f"it, or no file: {offer.place}.",
                    "Tell whoever keeps that repository.",
                )


def _target(path: str) -> str:
    return os.readlink(path) if os.path.islink(path) else ""


def _require_digest(offer: Offer, found: str) -> None:
    expected, name = offer.version.digest, f"{offer.name}@{offer.version.version}"
    if not expected or expected == found:
        return
    declared = name in offer.repository.declared
    said = "its index says" if declared else f"it had at the update of {offer.repository.updated[:10]}"
    raise Refused(
        f"{name} of {offer.repository.name} has another digest than {said}: {found}, not {expected}. Nothing was added.",
        "Tell whoever keeps that repository." if declared else _update(offer),
    )


def _update(offer: Offer) -> str:
    return ways(("Look at it again", f"rigger repository update {offer.repository.name}"))
