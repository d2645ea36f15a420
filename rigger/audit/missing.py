"""Which files never came to this machine: they hold secrets, were left out of a bundle, and lie where that was saved."""

from __future__ import annotations

from rigger.audit.events import Destroyed, Event, Loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class MissingFiles:
    """The files that the bundle which was loaded last did not have, and this machine neither."""

    def __init__(self) -> None:
        self.names: Sequence[str] = ()

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case Loaded():
                self.names = event.missing
            case Destroyed():
                self.names = ()
