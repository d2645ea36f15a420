"""Where the records of a project are kept, and what whoever keeps them must be able to do."""

from __future__ import annotations

from rigger.errors import BadUsage
from rigger.text import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Protocol

    from rigger.environments.call import Call
    from rigger.releases.model import Deployment, Release
else:
    Protocol = object


class Store(Protocol):
    """What is on record of one project.

    Whatever a method writes is there for good once it returns, and as it was where it raises; a killed caller leaves one of
    the two. Raises NotReady where nothing can be written, Refused for records that cannot be used.
    """

    @property
    def where(self) -> str:
        """Return where it is, for a sentence."""

    def labels(self) -> list[str]:
        """Return the labels that mean something, sorted; an environment's id is one."""

    def images(self, label: str) -> dict[str, str]:
        """Return what a label means: the image of each service; {} where it means nothing."""

    def set_images(self, label: str, images: Mapping[str, str | None], note: str = "") -> None:
        """Let a label mean these images from now on, and none where it is None; others that it has stay.

        `note` says who wants that, and why.
        """

    def put_release(self, release: Release) -> None:
        """Keep a new release; raises BadUsage where there is one of that id."""

    def release(self, id: str) -> Release:
        """Return a release with its deployments; raises BadUsage where there is none of that id."""

    def releases(self) -> list[Release]:
        """Return all releases with their deployments, the newest first."""

    def begin_deployment(self, deployment: Deployment) -> None:
        """Keep a new deployment; raises BadUsage where there is one of that id, or no such release."""

    def change_deployment(self, deployment: Deployment) -> None:
        """Keep what became of a deployment: its status, run, problem and end; all else of it stays as it began."""

    def deployments(self, environment: str = "") -> list[Deployment]:
        """Return all deployments, the newest first; those to one environment, where that is named by its id."""

    def lock(self, environment: str, command: str, call: Call) -> AbstractContextManager[object]:
        """Hold the lock of an environment; raises Locked, saying who holds it, once the call has waited as long as it may."""

    def holder(self, environment: str) -> str:
        """Return who holds the lock of an environment, in a sentence; nothing where nobody does."""


def newest(store: Store) -> str:
    """Return when the newest record of a store is from; nothing where there is none."""
    releases = store.releases()
    dates = [release.date for release in releases]
    dates += [one.ended or one.date for release in releases for one in release.deployments]
    return max(dates, default="")


def no_release(id: str, known: Sequence[Release], where: str) -> BadUsage:
    """Return the error for a release that is not there; the beginning of an id is enough, where only one begins so."""
    near = [one.id for one in known if id and one.id.startswith(id)]
    if near:
        return BadUsage(f"{id!r} is the beginning of {len(near)} releases.", "Type more of it.")
    hint = did_you_mean(id, [one.id for one in known])
    return BadUsage(
        f"There is no release {id!r} in {where}{hint}.",
        '"rigger release list" names them.' if known else 'Make one: "rigger release create".',
    )
