"""How a step ended."""

from __future__ import annotations

from rigger.audit.steps import SKIPPED, finds_differences
from rigger.text import duration
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from rigger.plans.model import Step
    from rigger.process.step import Outcome
    from rigger.runs.step_files import StepOutput


@frozen
class StepResult:
    """How one step ended."""

    step: Step
    exit_code: int
    seconds: float
    log: str
    changed: tuple[str, ...] = ()  # names of the vars that it changed
    problems: tuple[str, ...] = ()  # what it gave back that cannot be used
    timed_out: bool = False
    interrupted: bool = False
    leftovers: tuple[str, ...] = ()
    figures: Mapping[str, str] = field(default_factory=dict)  # what a test or step measured
    lost: tuple[str, ...] = ()  # nodes that it could not reach, or lost the connection to
    kept: int = 0  # files that the module's scripts have in their own folder
    show_log: str = ""  # the command that shows what it printed
    place: str = ""  # the line and the command with which its script ended, where that is known
    proposed: Mapping[str, str] = field(repr=False, default_factory=dict)  # of an init: answers
    hidden: tuple[str, ...] = ()  # what it gave among the vars and is kept among the secrets, as it holds one

    @property
    def good(self) -> bool:
        return self.exit_code == 0 and not (self.problems or self.timed_out or self.interrupted)

    @property
    def skipped(self) -> bool:
        """Whether this is a test that said that it does not apply."""
        return self.exit_code == SKIPPED and "/" in self.step.verb and not (self.problems or self.interrupted)

    @property
    def differs(self) -> bool:
        """Whether this is a look for differences that found some: that is what it is for, and no failure."""
        usable = not (self.problems or self.timed_out or self.interrupted)
        return usable and finds_differences(self.step.verb, self.exit_code)

    @property
    def failed(self) -> bool:
        return not (self.good or self.skipped or self.differs)

    def as_dict(self) -> dict[str, Any]:
        return {
            "module": f"{self.step.module.role}/{self.step.module.name}",
            "step": self.step.verb,
            "good": self.good,
            **({"skipped": True} if self.skipped else {}),
            **({"differs": True} if self.differs else {}),
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 3),
            "log": self.log,
            "changed": list(self.changed),
            **({"place": self.place} if self.place else {}),
            **({"figures": dict(self.figures)} if self.figures else {}),
        }

    def describe(self) -> str:
        """Return one sentence about a step that did not succeed."""
        took = duration(self.seconds)
        if self.interrupted:
            how = f"was interrupted after {took}"
        elif self.timed_out:
            limit = duration(self.step.timeout)
            how = f"did not end within {limit} and was stopped after {took}"
        elif self.exit_code:
            how = f"exited {self.exit_code} after {took}"
            how += f", at {self.place}" if self.place else ""
        else:
            how = f"gave back what cannot be used: {'; '.join(self.problems)}"
        lost = f"; {' and '.join(self.lost)} could not be reached" if self.lost else ""
        return f"{self.step.shown} {how}{lost}."


def step_result(
    step: Step, outcome: Outcome, given: StepOutput, masked: Callable[[str], str], **more: Any
) -> StepResult:
    """Return how a step ended, with nothing secret in any word of it; `more` are fields that are known already."""
    more["leftovers"] = tuple(map(masked, more["leftovers"]))
    more["place"] = masked(more["place"])
    return StepResult(
        step,
        outcome.exit_code,
        outcome.duration,
        problems=tuple(map(masked, given.problems)),
        timed_out=outcome.timed_out,
        interrupted=outcome.interrupted,
        figures={name: masked(value) for name, value in given.figures.items()},
        proposed=given.proposed,
        hidden=given.hidden,
        **more,
    )


def what_they_printed(results: Sequence[StepResult]) -> list[tuple[str, str]]:
    """Return the command that shows the log of each step, as `text.ways` takes it."""
    return [
        (f"What {result.step.module.name} {result.step.verb} printed", result.show_log) for result in results
    ]


def failures(results: Sequence[StepResult]) -> list[StepResult]:
    """Return the results of the steps that did not succeed."""
    return [result for result in results if not result.good]
