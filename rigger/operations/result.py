"""What an operation came to, as data: a person, a program and a web page are shown the same."""

from __future__ import annotations

from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from rigger.runs.result import StepResult
else:
    Protocol = object


class Result(Protocol):
    """What an operation returns. One that failed on the way raises, and its error carries what was done until then."""

    def as_dict(self) -> dict[str, Any]:
        """Return the report as it is written for programs: what JSON can hold."""


@frozen
class Data:
    """A result that is nothing but its report."""

    report: dict[str, Any] = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        return self.report


@frozen
class RunResult:
    """What became of the steps of a run; `before` and `after` are further fields of the report."""

    environment: str
    run: str = ""  # its name; empty where nothing was started
    steps: tuple[StepResult, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0  # from its first record to its last

    def as_dict(self) -> dict[str, Any]:
        steps = [step.as_dict() for step in self.steps]
        told = {"run": self.run, "seconds": round(self.seconds, 3), "steps": steps}
        return {**self.before, **told, **self.after}
