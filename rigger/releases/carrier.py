"""What carries a deployment out, and says whether it runs."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    Images = Mapping[str, str]  # service -> URI
else:
    Protocol = object


class Carrier(Protocol):
    """One place that releases are brought to: a rigger environment, a Terraform stack, an add-on.

    It hears the images of services, of those of one release. The environment's label has them before `apply` is called.
    """

    @property
    def name(self) -> str:
        """Return what it is, for a sentence: "the rigger environment wood"."""

    def require_ready(self, images: Images) -> None:
        """Raise what stands against it, before anything is recorded: no such place, no use for an image, work under way."""

    def inputs(self) -> str:
        """Return a digest of all that what it does follows from, beside the images."""

    def planned(self, images: Images) -> Sequence[str]:
        """Return what it would do, in a line each; nothing where it cannot say."""

    def apply(self, images: Images) -> str:
        """Bring the images there, and return the name of the run that did it, if it has runs.

        Called again after rigger was killed in it, it goes on. Raises whatever kept it from doing all of it: a deployment
        that was declined or that failed is taken back.
        """

    def run(self) -> str:
        """Return the name of the run that `apply` began last, nothing where there is none."""

    def confirm(self, images: Images) -> None:
        """Look whether what runs is what was applied; raises StepFailed as long as it is not, what else goes wrong at once."""

    def take_back(self, images: Images, before: Images) -> None:
        """Let what was given to it be as before `apply` of these images, without carrying anything out.

        `before` is what the environment's label meant, {} where that was nothing.
        """
