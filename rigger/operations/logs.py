"""What the steps of a run printed, also while it goes on."""

from __future__ import annotations

import os
import time

from rigger.audit.runs import RUNNING
from rigger.errors import BadUsage
from rigger.operations.history import PastRun, history, named
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rigger.audit.events import StepStarted
    from rigger.environments.environment import Environment

BLOCK = 1 << 16  # bytes of a log that are read at once
PAUSE = 0.2  # seconds between two looks at what goes on


@frozen
class StepLog:
    """What a step printed."""

    run_number: int
    run: str
    number: int
    module: str
    step: str
    log: str  # the file

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self)}

    def content(self, start: int = 0) -> Iterator[bytes]:
        """Return what stands in the log from a byte on, block by block."""
        try:
            with open(self.log, "rb") as log:
                log.seek(start)
                while block := log.read(BLOCK):
                    yield block
        except FileNotFoundError:
            yield b"(no log: " + os.fsencode(os.path.basename(self.log)) + b" was never begun)\n"

    def start_of_last(self, lines: int) -> tuple[int, int]:
        """Return at which byte its last lines begin, and how many there are: as many as asked for, or all."""
        found, at = 0, 0
        try:
            with open(self.log, "rb") as log:
                at = end = log.seek(0, os.SEEK_END)
                while at and found <= lines:
                    size = min(BLOCK, at)
                    at -= size
                    log.seek(at)
                    block = log.read(size)
                    if at + size == end and not block.endswith(b"\n"):
                        found += 1  # the last line has no end yet
                    for place in range(size - 1, -1, -1):
                        if block[place] == 10:
                            found += 1
                            if found > lines:
                                return at + place + 1, lines
                return 0, found
        except FileNotFoundError:
            return 0, 1


@frozen
class Logs:
    """The logs of some steps of one run; of none where nothing was run yet, or the run began no step.

    `starts` are the bytes from which on they are shown, one for each step.
    """

    environment: str
    run: int = 0  # its number
    steps: tuple[StepLog, ...] = ()
    starts: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        logs = [step.as_dict() for step in self.steps]
        return {"environment": self.environment, "number": self.run, "logs": logs}


def logs(
    environment: Environment, run: str | None = None, step: str | None = None, tail: int | None = None
) -> Logs:
    """Return the logs of a run, by default the last one, or of one step of it; raises BadUsage where there is none.

    `run` is a word for one (`history.named`), `step` a number or a name, `tail` how many lines to show of them all.
    """
    runs = history(environment).runs
    if not runs:
        return Logs(environment.name)
    chosen = named(runs, run)
    steps = _logs_of(environment, chosen, step)
    if step is not None and not steps:
        words = ", ".join(f"{begun.number} {begun.step}" for begun in chosen.begun) or "none"
        raise BadUsage(
            f"Run {chosen.number} ({chosen.command}) has no step {step!r}.", f"Its steps: {words}."
        )
    if tail is None:
        return Logs(environment.name, chosen.number, steps, (0,) * len(steps))
    return _last_lines(environment.name, chosen.number, steps, tail)


def _last_lines(environment: str, run: int, steps: tuple[StepLog, ...], lines: int) -> Logs:
    shown: list[tuple[StepLog, int]] = []
    for step in reversed(steps):
        start, found = step.start_of_last(lines)
        if found:
            shown.insert(0, (step, start))
        lines -= found
        if lines <= 0:
            break
    return Logs(environment, run, tuple(step for step, _ in shown), tuple(start for _, start in shown))


def _logs_of(environment: Environment, run: PastRun, step: str | None) -> tuple[StepLog, ...]:
    return tuple(
        StepLog(run.number, run.run, begun.number, begun.module, begun.step, environment.file(begun.log))
        for begun in run.begun
        if step is None or _is(begun, step)
    )


def _is(begun: StepStarted, step: str) -> bool:
    number = f"{begun.number:02d}"
    return step in (str(begun.number), number, begun.step, f"{number}-{begun.step}", begun.key)


def follow(environment: Environment, shown: Logs, step: str | None = None) -> Iterator[StepLog | bytes]:
    """Return what a run prints until it ends: each step that has something to say, then blocks of what it says.

    `shown` says of which run, and from where on. A log that shrinks, because a secret in it was masked, goes on at its
    end.
    """
    places = {step.log: start for step, start in zip(shown.steps, shown.starts, strict=True)}
    first, told = min((step.number for step in shown.steps), default=0), ""
    seen: object = None
    run: PastRun | None = None
    while True:
        state = environment.audit.state(), environment.lock.busy_since()
        if run is None or state != seen:
            seen, run = state, named(history(environment).runs, str(shown.run))
        for log in _logs_of(environment, run, step):
            if log.number < first or not os.path.exists(log.log):
                continue
            start = min(places.get(log.log, 0), os.path.getsize(log.log))
            for block in log.content(start):
                if told != log.log:
                    told = log.log
                    yield log
                yield block
                start += len(block)
            places[log.log] = start
        if run.outcome != RUNNING:
            return
        time.sleep(PAUSE)
