"""Run the platform's tests against a cluster."""

from __future__ import annotations

from rigger.errors import BadUsage, RiggerError, TestsFailed
from rigger.operations.consent import Consent
from rigger.operations.session import Session, session
from rigger.plans import lifecycle
from rigger.runs import tests as suites
from rigger.runs.reporter import Reporter, Silent
from rigger.runs.tests import Case, is_test, write_report
from rigger.text import ways
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rigger.environments.environment import Environment
    from rigger.modules.model import Module, Suite
    from rigger.operations.result import RunResult


@frozen
class Tested:
    """The results of a suite's tests, and the folder that their report lies in."""

    suite: str
    cases: tuple[Case, ...]
    summary: Mapping[str, Any] = field(default_factory=dict)
    folder: str = ""

    def as_dict(self) -> dict[str, Any]:
        summary = dict(self.summary)
        return {"configured_version": summary.pop("version", ""), **summary, "report": self.folder}


def test(
    environment: Environment,
    suite: Sequence[str] = (),
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> Tested:
    """Run the tests of a suite, or of a component: ("smoke",), ("component", "kv"); none: the one that is chosen.

    Raises TestsFailed, with the results, where a test failed; BadUsage for a suite that the platform does not offer.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    with session(environment, f"rigger test {' '.join(suite)}".strip(), reporter, consent) as work:
        platform = work.config.platform
        chosen = suites.find(platform, suite or _choose(platform, consent))
        work.require_cluster("test")
        plan = work.prepared(lifecycle.test(work.config, chosen.name, chosen.tests))
        work.claim(plan)
        try:
            result = _tested(work, chosen, work.run(plan))
            number = work.state.runs.count
        except RiggerError as problem:  # a test run that was interrupted has a report too
            if problem.result is not None:
                problem.result = _tested(work, chosen, problem.result) if problem.result.run else None
            raise
    if failed := [case.name for case in result.cases if case.outcome == "failed"]:
        failure = TestsFailed(
            f"{len(failed)} of {len(result.cases)} tests failed: {', '.join(failed)}.",
            ways(("Why", f"rigger logs {number}")),
        )
        raise failure.with_result(result)
    return result


def _choose(platform: Module, consent: Consent) -> list[str]:
    choices = suites.offered(platform)
    if not choices:
        raise BadUsage(f"{platform.name} offers no tests.")
    listed = ", ".join(choice.value for choice in choices)
    unasked = BadUsage("Which tests? There is no terminal to ask on.", f"{platform.name} offers: {listed}.")
    return consent.choose("Which tests should run?", choices, choices[0].value, unasked).split(" ", 1)


def _tested(work: Session, chosen: Suite, result: RunResult) -> Tested:
    """Write the report of the tests that ran, and return it."""
    cases = tuple(suites.case(step) for step in result.steps if is_test(step))
    summary = suites.summary(chosen.name, result.run, work.config.values.get("VERSION", ""), cases)
    folder = work.environment.file("tests", result.run)
    write_report(folder, summary)
    return Tested(chosen.name, cases, summary, folder)
