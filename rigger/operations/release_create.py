"""Fix services at known versions."""

from __future__ import annotations

from rigger import __version__
from rigger.errors import BadUsage
from rigger.operations.changes import show_changes
from rigger.operations.images import pin
from rigger.operations.projects import require_label
from rigger.releases import moments
from rigger.releases.difference import difference
from rigger.releases.model import Named, Release, new_id
from rigger.releases.names import is_uri
from rigger.runs.reporter import Reporter, Silent
from rigger.sha256 import digest_of_data
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rigger.operations.consent import Consent
    from rigger.operations.projects import Opened
    from rigger.releases.difference import Change

LATEST = "latest"


@frozen
class Created:
    """A release, beside the newest one before it."""

    release: Release
    changes: tuple[Change, ...]
    missing: tuple[str, ...]  # images of the manifest that it has none of
    new: bool  # whether it was not there before
    done: bool = True
    digest: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "release": self.release.as_dict(),
            "new": self.new,
            "changes": [change.as_dict() for change in self.changes if change.changes],
            "missing": list(self.missing),
            "digest": self.digest,
        }


def create(
    at: Opened,
    label: str | None,
    services: Sequence[str],
    reason: str,
    reporter: Reporter,
    consent: Consent,
    clock_is_right: bool = False,
) -> Created:
    """Make a release of what a label means, by default `latest`, some services as they are said: SERVICE=LABEL or SERVICE=URI.

    It is shown beside the newest release; one that has the same images is that one. Raises BadUsage for one without any image.
    """
    images = chosen(at, label, services, reporter)
    created = _created(at, images, reason)
    digest = digest_of_data([__version__, "release create", at.project.id, images, _olds(created)])
    digest = digest if created.new else ""
    if at.call.plans:
        return replace(created, done=False, digest=digest)
    if created.new:
        at.call.require_plan(digest, "rigger release create --plan")
        at.require_clock(clock_is_right)
        show_changes(reporter, created.changes)
        consent.agree(f"Make this a release of {at.project.name}?")
        at.store.put_release(created.release)
    return replace(created, digest=digest)


def chosen(
    at: Opened, label: str | None, services: Sequence[str] = (), reporter: Reporter | None = None
) -> dict[str, str]:
    """Return the images of a label, by default `latest`, some services replaced.

    Raises BadUsage where there are none, or one cannot be had.
    """
    if label in (None, LATEST):
        images = at.store.images(LATEST)
    else:
        require_label(label)
        images = at.images(label)
    known = {id: uri for id, uri in images.items() if id in at.project.images}
    if strange := sorted(images.keys() - known.keys()):
        of = label or LATEST
        raise BadUsage(
            f"{of} has an image of {strange[0]}, which is no service of {at.project.file}.",
            f'"rigger image set {of} {strange[0]}=" takes it away.'
            if of not in at.project.places
            else "Put it back into the manifest, or take the images from another label.",
        )
    for assignment in services:
        word, equals, value = assignment.partition("=")
        if not equals or not value:
            raise BadUsage(
                f"{assignment!r} does not say what the service is taken from.",
                "For example api=stage, or api=URI.",
            )
        id = at.project.image(word).id
        known[id] = _one(at, id, value, reporter or Silent())
    if not known:
        raise BadUsage(
            f"Label {LATEST} means nothing yet, so there is nothing to release.",
            f'"rigger image set {LATEST} SERVICE=URI" sets it.',
        )
    return dict(sorted(known.items()))


def _one(at: Opened, id: str, value: str, reporter: Reporter) -> str:
    """Return an image as it was said: a URI, or the label or the release that has it."""
    if any(mark in value for mark in "/:@"):
        if not is_uri(value):
            raise BadUsage(f"{value!r} is no image.", "For example registry.example/api:1.2.")
        return pin(id, value, reporter) or value
    images = at.images(value)
    if id not in images:
        raise BadUsage(f"{value} has no image of {id}.", "Name another label, or the image itself.")
    return images[id]


def release_of(
    at: Opened, known: Sequence[Release], images: Mapping[str, str], reason: str
) -> tuple[Release, bool]:
    """Return the release of these images: the newest known one where it has the same, else a new one; and whether it is new."""
    if known and dict(known[0].images) == dict(images):
        return known[0], False
    project = Named(at.project.id, at.project.name)
    return Release(new_id(), project, moments.now(), at.requester(), reason, dict(images)), True


def _created(at: Opened, images: Mapping[str, str], reason: str) -> Created:
    known = at.store.releases()
    release, new = release_of(at, known, images, reason)
    before = known[0].images if known else {}
    missing = tuple(id for id in at.project.images if id not in images)
    return Created(release, difference(at.project, before, images), missing, new)


def _olds(created: Created) -> dict[str, str]:
    return {change.service: change.old for change in created.changes}
