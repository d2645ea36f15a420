"""The runs of the past, and by which words a person names one of them."""

from __future__ import annotations

import time

from rigger.audit.runs import RUNNING, exact, runs_of
from rigger.errors import BadUsage
from rigger.text import did_you_mean
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rigger.audit.events import RunStarted, StepFinished, StepStarted
    from rigger.environments.environment import Environment

UNTOLD = ("version", "before", "after", "begun", "started")  # under these names


@frozen
class PastRun:
    """A run, its steps that began and those that ended.

    `number` is its place among all runs, from 1; `before` and `after` are the versions that ran, "" for none, and
    `seconds` is how long it took, or takes until now.
    """

    number: int
    run: str
    command: str
    time: str
    by: str
    actor: str  # for whom, where that was somebody else
    reason: str
    request: str
    version: str
    before: str
    after: str
    outcome: str
    seconds: float
    steps: tuple[StepFinished, ...]
    begun: tuple[StepStarted, ...]
    started: RunStarted  # its record

    def as_dict(self) -> dict[str, Any]:
        keys = ("number", "module", "step", "exit_code", "seconds", "changed")
        steps = [{key: getattr(step, key) for key in keys} for step in self.steps]
        also = {"configured_version": self.version, "from": self.before, "to": self.after, "steps": steps}
        own = {key: value for key, value in vars(self).items() if key not in UNTOLD}
        return {**own, **also}


@frozen
class Runs:
    """The runs of an environment, in order."""

    environment: str
    runs: tuple[PastRun, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"environment": self.environment, "runs": [run.as_dict() for run in self.runs]}


def history(environment: Environment) -> Runs:
    """Return the runs of an environment, in order; one without an end is under way, or was cut off."""
    busy_since = environment.lock.busy_since()
    known = runs_of(environment.audit.records())
    begun: dict[str, list[StepStarted]] = {}
    for step in known.begun:
        begun.setdefault(step.run, []).append(step)
    found = []
    for run in known.all:
        started, outcome = run.started, run.outcome(busy_since)
        past = PastRun(
            run.number,
            started.run,
            started.command,
            started.time,
            started.by,
            started.actor,
            started.reason,
            started.request,
            started.version,
            *known.versions[started.run],
            outcome,
            _took(started.time, run.end.time if run.end else None, outcome, run.steps),
            tuple(run.steps),
            tuple(begun.get(started.run, ())),
            started,
        )
        found.append(past)
    return Runs(environment.name, tuple(found))


def _took(began: str, ended: str | None, outcome: str, steps: Sequence[StepFinished]) -> float:
    if ended or outcome == RUNNING:
        until = exact(ended) if ended else time.time()
        return round(max(0.0, until - exact(began)), 3)
    return round(sum(step.seconds for step in steps), 3)  # nobody knows when it was cut off


def named(runs: Sequence[PastRun], word: str | None) -> PastRun:
    """Return the run, of all in order, that a word means; raises BadUsage where none is meant.

    A word is a run's number, "last" (as no word is), a command, whose last run is meant, or the unique beginning of a
    run's id.
    """
    if word in (None, "last"):
        return runs[-1]
    for run in reversed(runs):
        if word in (str(run.number), run.run, run.command, run.command.split()[0]):
            return run
    matching = [run for run in runs if run.run.startswith(word)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        numbers = ", ".join(str(run.number) for run in matching[:-4:-1])
        problem = f"{len(matching)} runs begin with {word!r}; the newest are {numbers}."
    else:
        near = did_you_mean(word, {"last", *(run.command for run in runs), *(run.run for run in runs)})
        problem = f"There is no run {word!r}{near}; the newest is {runs[-1].number}."
    raise BadUsage(problem, "All runs, and their numbers:\n  rigger history")
