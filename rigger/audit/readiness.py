"""Whether machines that were made or started are still waited for, in the audit log."""

from __future__ import annotations

from rigger.audit.events import Destroyed, Event, StepFinished, StepStarted


class ReadinessHistory:
    """Machines are waited for from when a provider made or started them until the platform worked with them."""

    def __init__(self) -> None:
        self.awaited = False

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case StepFinished(exit_code=0):
                role, _, _ = event.module.partition("/")
                if role == "provider" and event.step in ("create", "resume"):
                    self.awaited = True
                elif role == "platform" and event.step in ("deploy", "check", "scale"):
                    self.awaited = False
            case Destroyed() | StepStarted(step="suspend") | StepStarted(step="destroy"):
                self.awaited = False
