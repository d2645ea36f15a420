"""The runs of the past, and what their steps printed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rigger.audit.runs import runs_of
from rigger.errors import BadUsage
from rigger.text import did_you_mean
from rigger.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.audit.events import StepFinished, StepStarted
    from rigger.environments.environment import Environment

BLOCK = 1 << 16  # bytes of a log that are read at once


@frozen
class PastRun:
    """A run and its steps that ended."""

    run: str
    command: str
    time: str
    by: str
    version: str
    outcome: str
    steps: tuple[StepFinished, ...]

    def as_dict(self) -> dict[str, Any]:
        keys = ("number", "module", "step", "exit_code", "seconds", "changed")
        return {**vars(self), "steps": [{key: getattr(step, key) for key in keys} for step in self.steps]}


@frozen
class Runs:
    """The runs of an environment, in order."""

    environment: str
    runs: tuple[PastRun, ...]

    def as_dict(self) -> list[dict[str, Any]]:
        return [run.as_dict() for run in self.runs]


@frozen
class StepLog:
    """What a step printed."""

    run: str
    number: int
    module: str
    step: str
    log: str  # the file

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self)}

    def content(self) -> Iterator[bytes]:
        """Return what stands in the log, block by block."""
        try:
            with open(self.log, "rb") as log:
                while block := log.read(BLOCK):
                    yield block
        except FileNotFoundError:
            yield b"(no log: " + os.fsencode(os.path.basename(self.log)) + b" was never begun)\n"


@frozen
class Logs:
    """The logs of some steps of one run; of none where nothing was run yet."""

    environment: str
    steps: tuple[StepLog, ...] = ()

    def as_dict(self) -> list[dict[str, Any]]:
        return [step.as_dict() for step in self.steps]


def history(environment: Environment) -> Runs:
    """Return the runs of an environment, each with its steps; one without an end is under way, or was cut off."""
    busy_since = environment.lock.busy_since()
    return Runs(
        environment.name,
        tuple(
            PastRun(
                run.started.run,
                run.started.command,
                run.started.time,
                run.started.by,
                run.started.version,
                run.outcome(busy_since),
                tuple(run.steps),
            )
            for run in runs_of(environment.audit.records()).all
        ),
    )


def logs(environment: Environment, run: str | None = None, step: str | None = None) -> Logs:
    """Return the logs of a run, by default the last one, or of one step of it; raises BadUsage where there is none.

    `run` may be the beginning of its name, `step` a number or a name.
    """
    begun = runs_of(environment.audit.records()).begun
    if not begun:
        return Logs(environment.name)
    chosen = [each for each in _of_run(begun, run) if step is None or _is(each, step)]
    if not chosen:
        raise BadUsage(f"That run has no step {step!r}.", 'Type "rigger history -o json" to see its steps.')
    return Logs(
        environment.name,
        tuple(
            StepLog(each.run, each.number, each.module, each.step, environment.file(each.log))
            for each in chosen
        ),
    )


def _of_run(begun: list[StepStarted], run: str | None) -> list[StepStarted]:
    names = list(dict.fromkeys(each.run for each in begun))
    if run is None:
        run = names[-1]
    elif len(matching := [name for name in names if name.startswith(run)]) == 1:
        run = matching[0]
    elif run not in names:
        raise BadUsage(
            f"There is no run {run!r} with steps{did_you_mean(run, names)}.", 'Type "rigger history".'
        )
    return [each for each in begun if each.run == run]


def _is(begun: StepStarted, step: str) -> bool:
    number = f"{begun.number:02d}"
    return step in (str(begun.number), number, begun.step, f"{number}-{begun.step}", begun.key)
