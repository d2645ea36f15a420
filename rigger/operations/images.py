"""What labels mean: the images of a project's services."""

from __future__ import annotations

from rigger import __version__
from rigger.errors import BadUsage
from rigger.operations.projects import require_label
from rigger.releases import registry
from rigger.releases.difference import Change, difference
from rigger.releases.names import is_uri
from rigger.sha256 import digest_of_data
from rigger.text import ways
from rigger.values import field, frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rigger.operations.projects import Opened
    from rigger.runs.reporter import Reporter


PATIENCE = 60.0  # seconds: several builds may end at once, and each sets the label for a moment


@frozen
class Labels:
    """What labels mean: the images of services, by label."""

    project: str
    labels: Mapping[str, Mapping[str, str]]

    def as_dict(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "labels": {name: dict(images) for name, images in self.labels.items()},
        }


@frozen
class SetImages:
    """A label that means other images now, or would."""

    project: str
    label: str
    changes: tuple[Change, ...]
    done: bool = True
    digest: str = field(default="")  # of what it was made of

    @property
    def changed(self) -> bool:
        return any(change.changes for change in self.changes)

    def as_dict(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "label": self.label,
            "changes": [change.as_dict() for change in self.changes if change.changes],
            "digest": self.digest,
        }


def labels(at: Opened, label: str | None = None) -> Labels:
    """Return what every label means, or one; raises BadUsage for one that means nothing."""
    if label is None:
        return Labels(at.project.id, {name: at.store.images(name) for name in at.store.labels()})
    require_label(label)
    images = at.store.images(label)
    if not images:
        raise BadUsage(
            f"Label {label} means nothing yet.", f'"rigger image set {label} SERVICE=URI" sets it.'
        )
    return Labels(at.project.id, {label: images})


def set_images(at: Opened, label: str, assignments: Sequence[str], reporter: Reporter) -> SetImages:
    """Let a label mean these images, given as SERVICE=URI; SERVICE= alone takes an image away.

    Each gets the digest that its registry says now, where that can be asked.

    Raises BadUsage, and changes nothing, for an empty label, a service that is not in the manifest, what is no image, and
    the label of an environment: that says what was deployed there.
    """
    require_label(label)
    if label in at.project.places:
        raise BadUsage(
            f"{label} is an environment: its label says what was deployed there.",
            ways(("Deploy to it", f"rigger deploy {label} --reason TEXT")),
        )
    patient = replace(at, call=replace(at.call, wait=PATIENCE))
    with patient.locked(label, f"rigger image set {label}"):
        before = at.store.images(label)
        images = {id: pin(id, uri, reporter) for id, uri in _images(at, assignments, before).items()}
        after = {id: uri for id, uri in {**before, **images}.items() if uri and id in at.project.images}
        gone = tuple(Change(id, id, before[id], "") for id, uri in images.items() if not uri)
        known = {id: uri for id, uri in before.items() if id in after}
        digest = digest_of_data([__version__, "image set", at.project.id, label, before, images])
        changes = (*difference(at.project, known, after), *gone)
        result = SetImages(
            at.project.id, label, changes, not at.call.plans, digest if known != after or gone else ""
        )
        if at.call.plans:
            return result
        at.call.require_plan(digest, f"rigger image set {label} ... --plan")
        if result.changed:
            at.store.set_images(label, images, at.note())
        return result


def pin(id: str, uri: str | None, reporter: Reporter) -> str | None:
    """Return an image with its digest, as its registry says it; says so where it says none."""
    pinned, problem = registry.pinned(uri) if uri else (uri, "")
    if problem:
        reporter.warn(f"{id} is not pinned to a digest: {problem}.")
    return pinned


def _images(at: Opened, assignments: Sequence[str], before: Mapping[str, str]) -> dict[str, str | None]:
    """Return the image of each id that is named, None for one that is to be taken away: SERVICE= alone."""
    images: dict[str, str | None] = {}
    for assignment in assignments:
        word, equals, uri = assignment.partition("=")
        if not equals or uri and not is_uri(uri):
            raise BadUsage(
                f"{assignment!r} does not say the image of a service.",
                "For example api=registry.example/api:1.2.",
            )
        id = word if word in before else at.project.image(word).id
        if id not in at.project.images and uri:
            at.project.image(word)
        if images.setdefault(id, uri or None) != (uri or None):
            raise BadUsage(
                f"{id} is given twice, with two images: {images[id]} and {uri}.",
                "One image runs in all its services; give it once.",
            )
    return {id: uri for id, uri in images.items() if uri or id in before}
