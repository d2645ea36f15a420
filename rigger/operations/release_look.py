"""Look at the releases of a project, and at what runs where."""

from __future__ import annotations

from rigger.releases.difference import difference
from rigger.releases.model import CONFIRMED
from rigger.releases.standing import standing
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.operations.projects import Opened
    from rigger.releases.difference import Change
    from rigger.releases.model import Deployment, Release
    from rigger.releases.project import Place
    from rigger.releases.standing import Standing

CUT_OFF = "cut off"  # a deployment that nobody works on, and of which nobody said how it ended


@frozen
class Releases:
    """The releases of a project, the newest first."""

    project: str
    releases: tuple[Release, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"project": self.project, "releases": [release.as_dict() for release in self.releases]}


@frozen
class Shown:
    """A release; its report is its record."""

    release: Release

    def as_dict(self) -> dict[str, Any]:
        return self.release.as_dict()


@frozen
class Compared:
    """Two releases, labels or environments, service by service."""

    old: str
    new: str
    changes: tuple[Change, ...]

    def as_dict(self) -> dict[str, Any]:
        changes = [change.as_dict() for change in self.changes if change.changes]
        return {"old": self.old, "new": self.new, "changes": changes}


@frozen
class Service:
    """A service that runs in an environment: its image, and the deployment that brought it."""

    name: str
    image: str
    uri: str
    by: Deployment

    def as_dict(self) -> dict[str, Any]:
        return {
            "service": self.name,
            "image": self.image,
            "uri": self.uri,
            "release": self.by.release,
            "since": self.by.ended or self.by.date,
            "requested_by": self.by.requested_by.as_dict(),
        }


@frozen
class Where:
    """An environment: what runs in it by the last check, and what was begun since."""

    place: Place
    standing: Standing
    services: tuple[Service, ...]
    holder: str  # who deploys there now, in a sentence

    @property
    def state(self) -> str:
        """How the last deployment stands, in a word; nothing where there was none."""
        last = self.standing.last
        if last is None:
            return ""
        return CUT_OFF if last.under_way and not self.holder else last.status

    def as_dict(self) -> dict[str, Any]:
        last, running = self.standing.last, self.standing.running
        return {
            "id": self.place.id,
            "name": self.place.name,
            "release": running.release if running else "",
            "state": self.state,
            "certain": self.standing.certain,
            "busy": self.holder,
            "last": last.as_dict() if last else None,
            "services": [service.as_dict() for service in self.services],
        }


@frozen
class Status:
    """What runs where."""

    project: str
    environments: tuple[Where, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"project": self.project, "environments": [one.as_dict() for one in self.environments]}


def releases(at: Opened) -> Releases:
    """Return all releases with their deployments, the newest first."""
    return Releases(at.project.id, tuple(at.store.releases()))


def show(at: Opened, word: str) -> Shown:
    """Return a release by its id, or the beginning of one; raises BadUsage where there is none."""
    return Shown(at.release(word))


def diff(at: Opened, old: str, new: str) -> Compared:
    """Compare two releases, labels or environments; raises BadUsage for what is none of them."""
    before = at.images(old)
    after = {id: uri for id, uri in at.images(new).items() if id in at.project.images}
    return Compared(old, new, difference(at.project, before, after))


def status(at: Opened) -> Status:
    """Return what runs in every environment of the manifest."""
    every = at.store.deployments()
    images = {release.id: release.images for release in at.store.releases()}
    found = []
    for place in at.project.places.values():
        now = standing([one for one in every if one.environment.id == place.id])
        found.append(Where(place, now, tuple(_services(at, now, images)), at.store.holder(place.id)))
    return Status(at.project.id, tuple(found))


def _services(at: Opened, now: Standing, released: Mapping[str, Mapping[str, str]]) -> list[Service]:
    """Return the services that run, each with the confirmed deployment that brought its image.

    `released` has the images of each release; what a deployment has not of its own stayed.
    """
    if now.running is None:
        return []
    since = now.deployments[now.deployments.index(now.running) :]
    applied = [(one, {**one.before, **released[one.release]}) for one in since if one.applied]
    found = []
    for id, uri in sorted(applied[0][1].items()):
        brought = now.running
        for one, images in applied:  # what was taken back is none of it, and ends it
            if images.get(id) != uri:
                break
            brought = one if one.status == CONFIRMED else brought
        services = at.project.images[id].services if id in at.project.images else (id,)
        found += [Service(service, id, uri, brought) for service in services]
    return found
