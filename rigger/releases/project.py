"""A project: services that are deployed together, and the environments that they are deployed to."""

from __future__ import annotations

import os

from rigger.errors import BadUsage
from rigger.text import did_you_mean, listed
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Image:
    """An image, and the services that run it: its id stands in labels and releases."""

    id: str
    services: tuple[str, ...]
    line: int = field(default=0, compare=False)


@frozen
class Place:
    """An environment of a project: where releases are deployed to, and what carries that out."""

    id: str
    name: str
    carrier: str = ""  # what kind carries it out: "rigger" or "stack"; nothing where the manifest says none
    target: str = ""  # the rigger environment's name, or the stack's folder
    line: int = field(default=0, compare=False)


@frozen
class Project:
    """A project, as its manifest describes it."""

    id: str
    name: str
    file: str
    places: Mapping[str, Place]
    images: Mapping[str, Image]
    account_id: str = ""
    region: str = ""
    role_arn: str = ""
    stack_root: str = ""  # `tf_stack_root`
    repository: str = ""  # `github_repository`
    store: str = ""  # where the records are: "aws", or nothing for a folder of this machine
    table: str = ""  # `releases_table`, of the store aws
    line: int = field(default=0, compare=False)

    @property
    def folder(self) -> str:
        """The folder of the manifest, from which the folders in it are meant."""
        return os.path.dirname(os.path.abspath(self.file))

    def place(self, environment: str) -> Place:
        """Return an environment; raises BadUsage where there is none of that id."""
        if environment in self.places:
            return self.places[environment]
        raise BadUsage(
            f"{self.file} has no environment {environment!r}{did_you_mean(environment, self.places)}.",
            f"It has {listed([*self.places])}.",
        )

    def image(self, word: str) -> Image:
        """Return the image of an id, or of a service that runs it; raises BadUsage where there is none."""
        if word in self.images:
            return self.images[word]
        for image in self.images.values():
            if word in image.services:
                return image
        services = [service for image in self.images.values() for service in image.services]
        raise BadUsage(
            f"{self.file} has no service {word!r}{did_you_mean(word, [*self.images, *services])}.",
            f"It has {listed(sorted({*self.images, *services}))}.",
        )

    def over(self, before: Mapping[str, str], images: Mapping[str, str]) -> dict[str, str]:
        """Return what there is once images are brought to where others were before: what is not among them stays."""
        return {**{id: uri for id, uri in before.items() if id in self.images}, **images}

    def services(self, images: Mapping[str, str]) -> dict[str, str]:
        """Return the image of every service that some images are for, by service; raises BadUsage for one that is not here."""
        return {service: uri for id, uri in images.items() for service in self.image(id).services}
