"""The runs of the past: what each did, and how it ended."""

from __future__ import annotations

import calendar
import time

from rigger.audit.events import Event, RunFinished, RunStarted, StepFinished, StepStarted


class RecordedRun:
    """One command's steps that ended, in order."""

    def __init__(self, started: RunStarted):
        self.started = started
        self.steps: list[StepFinished] = []
        self.end: RunFinished | None = None

    def outcome(self, busy_since: float | None) -> str:
        """Return how it ended; one without an end is under way, or was cut off.

        `busy_since` is when the rigger that works here now began, in seconds since 1970.
        """
        if self.end:
            return self.end.outcome
        began = seconds(self.started.time) + 1
        return "running" if busy_since is not None and began >= busy_since else "cut off"


class RunHistory:
    """The runs in order, and the steps that were begun."""

    def __init__(self) -> None:
        self.begun: list[StepStarted] = []
        self._runs: dict[str, RecordedRun] = {}

    @property
    def all(self) -> list[RecordedRun]:
        return [*self._runs.values()]

    @property
    def last(self) -> RecordedRun | None:
        return self.all[-1] if self._runs else None

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case RunStarted():
                self._runs[event.run] = RecordedRun(event)
            case StepStarted():
                self.begun.append(event)
            case StepFinished() if event.run in self._runs:
                self._runs[event.run].steps.append(event)
            case RunFinished() if event.run in self._runs:
                self._runs[event.run].end = event


def seconds(moment: str) -> float:
    """Return the time of a record in seconds since 1970, without its fraction."""
    return calendar.timegm(time.strptime(moment[:19], "%Y-%m-%dT%H:%M:%S"))
