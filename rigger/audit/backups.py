"""Where backups of the cluster's data were written, as the audit log tells it."""

from __future__ import annotations

from rigger.audit.events import BackedUp, Destroyed, Event


class BackupHistory:
    """The backups that somebody asked for, of the cluster that exists."""

    def __init__(self) -> None:
        self.made: list[BackedUp] = []  # the oldest first
        self.since = ""  # when an earlier cluster was destroyed: older backups are of that one

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case BackedUp():
                self.made.append(event)
            case Destroyed():
                self.made, self.since = [], event.time
