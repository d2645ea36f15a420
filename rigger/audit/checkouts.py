"""What the platform's repository was brought to."""

from __future__ import annotations

import os

from rigger.audit.events import CheckedOut, Event, UpgradeStarted


class CheckoutHistory:
    """The commits that a repository was brought to, and the one from which the last upgrade left."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str | None], CheckedOut] = {}  # of each folder's name and tag, in order
        self.before_upgrade = ""  # nothing where the last upgrade checked nothing out
        self._forward = False

    @property
    def last(self) -> CheckedOut | None:
        return next(reversed(self._last.values()), None)

    def last_in(self, folder: str) -> CheckedOut | None:
        """Return the last one in a folder of that name: an environment may have moved."""
        name = os.path.basename(folder)
        return next(
            (each for each in reversed(self._last.values()) if os.path.basename(each.folder) == name), None
        )

    def last_of(self, tag: str) -> CheckedOut | None:
        """Return the last one of a tag."""
        return next((each for each in reversed(self._last.values()) if each.tag == tag), None)

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case UpgradeStarted():
                self._forward = not event.rollback
                self.before_upgrade = "" if self._forward else self.before_upgrade
            case CheckedOut():
                key = os.path.basename(event.folder), event.tag
                self._last.pop(key, None)
                self._last[key] = event
                if self._forward:
                    self.before_upgrade = event.before
