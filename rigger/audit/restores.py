"""A restore that began to replace data and did not finish, in the audit log."""

from __future__ import annotations

from rigger.audit.events import (
    Destroyed,
    Event,
    Restored,
    RestoreStarted,
    Resumed,
    StepFinished,
    StepStarted,
    Suspended,
)


class RestoreHistory:
    """The file whose data was being put back when that was stopped."""

    def __init__(self) -> None:
        self.pending = ""  # the file; nothing where the data is whole
        self._file = ""
        self._begun: tuple[str, int] | None = None  # run and number of the step

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case RestoreStarted():
                self._file = event.file
            case StepStarted(command="restore", step="restore"):
                self.pending, self._begun = self._file, (event.run, event.number)
            case StepFinished(exit_code=0) if (event.run, event.number) == self._begun:
                self.pending = ""
            case Restored() | Destroyed() | Suspended() | Resumed() | StepStarted(step="undeploy"):
                self.pending = ""
