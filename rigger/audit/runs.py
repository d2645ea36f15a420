"""The runs of the past: what each did, and how it ended."""

from __future__ import annotations

from rigger.audit.events import (
    Event,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    UpgradeStarted,
    parse,
)
from rigger.audit.versions import VersionHistory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rigger.audit.events import Record

RUNNING = "running"  # the outcome of a run that is under way


class RecordedRun:
    """One command's steps that ended, in order; `number` is its place among all runs of the log, from 1."""

    def __init__(self, started: RunStarted, number: int):
        self.started = started
        self.number = number
        self.steps: list[StepFinished] = []
        self.end: RunFinished | None = None

    def take(self, event: StepFinished | RunFinished) -> None:
        """Take an event of this run in."""
        if isinstance(event, StepFinished):
            self.steps.append(event)
        else:
            self.end = event

    def outcome(self, busy_since: float | None) -> str:
        """Return how it ended; one without an end is under way, or was cut off.

        `busy_since` is when the rigger that works here now began, in seconds since 1970.
        """
        if self.end:
            return self.end.outcome
        began = seconds(self.started.time) + 1
        return RUNNING if busy_since is not None and began >= busy_since else "cut off"


class LastRun:
    """The run that began last, and how many there are."""

    def __init__(self) -> None:
        self.last: RecordedRun | None = None
        self.count = 0

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case RunStarted():
                self.count += 1
                self.last = RecordedRun(event, self.count)
            case StepFinished() | RunFinished() if self.last and self.last.started.run == event.run:
                self.last.take(event)


def running(runs: LastRun, busy_since: float | None) -> str:
    """Return the name of the run that is under way, nothing where none is; `busy_since` is as in `RecordedRun.outcome`."""
    return runs.last.started.run if runs.last and runs.last.outcome(busy_since) == RUNNING else ""


class RunHistory:
    """The runs in order, and the steps that were begun: as long as the log, and for who wants to see all of it.

    `versions` are, by run, the version that ran before it and the one that ran, or was wanted, after it; "" for none.
    """

    def __init__(self) -> None:
        self.begun: list[StepStarted] = []
        self.versions: dict[str, tuple[str, str]] = {}
        self._runs: dict[str, RecordedRun] = {}
        self._running = VersionHistory()
        self._wanted = ""  # by the upgrade that began last

    @property
    def all(self) -> list[RecordedRun]:
        return [*self._runs.values()]

    @property
    def last(self) -> RecordedRun | None:
        return self.all[-1] if self._runs else None

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        self._take_version(event)
        match event:
            case RunStarted():
                self._runs[event.run] = RecordedRun(event, len(self._runs) + 1)
            case StepStarted():
                self.begun.append(event)
            case StepFinished() | RunFinished() if event.run in self._runs:
                self._runs[event.run].take(event)

    def _take_version(self, event: Event) -> None:
        before, last = self._version(), self.last
        self._running.take(event)
        match event:
            case UpgradeStarted():
                self._wanted = event.to
            case RunStarted():  # it may fail on the way there
                wanted = {"provision": event.version, "upgrade": self._wanted}.get(event.command)
                self.versions[event.run] = before, before if wanted is None else wanted
            case _ if last and self._version() != before:
                self.versions[last.started.run] = self.versions[last.started.run][0], self._version()

    def _version(self) -> str:
        running = self._running.running
        return running.version if running else ""


def runs_of(records: Iterable[Record]) -> RunHistory:
    """Return all runs that the records of a log tell of."""
    history = RunHistory()
    for record in records:
        history.take(parse(record))
    return history


# The Gregorian calendar, which no module of Python knows that is quick to import.
DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)  # each month, where no year is leap
UNTIL_1970 = 719162  # days from the first of the year 1 on


def seconds(moment: str) -> float:
    """Return the time of a record in seconds since 1970, without its fraction."""
    year, month, day = int(moment[:4]), int(moment[5:7]), int(moment[8:10])
    if not 1 <= month <= 12:
        raise ValueError(f"{moment} is no time")
    before, leap = year - 1, year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = before * 365 + before // 4 - before // 100 + before // 400 - UNTIL_1970
    days += DAYS_BEFORE[month - 1] + (leap and month > 2) + day - 1
    return ((days * 24 + int(moment[11:13])) * 60 + int(moment[14:16])) * 60 + int(moment[17:19])


def exact(moment: str) -> float:
    """Return the time of a record in seconds since 1970, as far as it is written."""
    return seconds(moment) + float(f"0{moment[19:].rstrip('Z')}")
