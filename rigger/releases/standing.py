"""What runs where, as far as the records say."""

from __future__ import annotations

from rigger.releases.model import CONFIRMED, Deployment
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


@frozen
class Standing:
    """The deployments to one environment, the newest first."""

    deployments: tuple[Deployment, ...]

    @property
    def last(self) -> Deployment | None:
        """The newest one, however it ended."""
        return self.deployments[0] if self.deployments else None

    @property
    def running(self) -> Deployment | None:
        """The last one that a check confirmed, and that nobody took back; None where none was."""
        return next((one for one in self.deployments if one.status == CONFIRMED), None)

    @property
    def certain(self) -> bool:
        """Whether that is what runs: none was begun since that nobody confirmed."""
        return self.last is self.running

    def before(self) -> Deployment | None:
        """Return the confirmed deployment that a rollback goes back to; None where there is none.

        Where the last one did not get there, that is the one that runs; else the one before it, of another release.
        """
        running = self.running
        if running is None or not self.certain:
            return running
        older = self.deployments[self.deployments.index(running) + 1 :]
        return next(
            (one for one in older if one.status == CONFIRMED and one.release != running.release), None
        )


def standing(deployments: Sequence[Deployment]) -> Standing:
    """Return how an environment stands, of its deployments, the newest first."""
    return Standing(tuple(deployments))
