"""Is an environment's record what was written, and its cluster what rigger made?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rigger.configuration.resolve import resolve
from rigger.environments.state import may_have_cluster
from rigger.errors import DifferencesFound, InvalidConfig, StepFailed
from rigger.operations.consent import Consent
from rigger.operations.session import session
from rigger.plans import lifecycle
from rigger.plans.scripts import require_scripts
from rigger.runs.reporter import Reporter, Silent
from rigger.runs.result import StepResult, failures
from rigger.runs.run import Run
from rigger.values import frozen

if TYPE_CHECKING:
    from rigger.audit.log import Verdict
    from rigger.environments.environment import Environment


@frozen
class Audited:
    """What the audit log is, and in a sentence each what was changed by hand; None where nobody looked for that."""

    verdict: Verdict
    changed: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        verdict = self.verdict
        log = {"records": verdict.count, "head": verdict.head_hash, "problems": list(verdict.problems)}
        return log if self.changed is None else {**log, "changed": list(self.changed)}


def audit(environment: Environment, reporter: Reporter | None = None) -> Audited:
    """Verify the audit log, then run the modules' own audit scripts, where there is a cluster to look at.

    Raises DifferencesFound, with the result, where something is not as it was made; StepFailed where a script could
    not tell.
    """
    reporter = reporter or Silent()
    verdict = environment.audit.verify()
    if verdict.problems:
        listed = "\n".join(f"  {problem}" for problem in verdict.problems)
        broken = DifferencesFound(
            f"The audit log of {environment.name} is not what was written:\n{listed}",
            "Compare it with a bundle.",
        )
        raise broken.with_result(Audited(verdict))
    reporter.line(f"{verdict.count} records, unbroken. Head: {verdict.head_hash}")
    result = Audited(verdict, _changed_by_hand(environment, reporter))
    if result.changed:
        differs = DifferencesFound(
            f"{environment.name} is not what rigger made: {' '.join(result.changed)}",
            'Take back what was changed by hand; "rigger logs" shows it.',
        )
        raise differs.with_result(result)
    return result


def _changed_by_hand(environment: Environment, reporter: Reporter) -> tuple[str, ...]:
    """Return in a sentence each what the audit scripts found."""
    if not _has_something_to_run(environment):  # nor to lock: a log is read on a read-only disk too
        return ()
    bad = _run_scripts(environment, reporter)
    broken = [step for step in bad if step.exit_code != DifferencesFound.exit_code]
    if broken:
        raise StepFailed(" ".join(step.describe(environment) for step in broken))
    return tuple(f"{step.step.shown} found differences." for step in bad)


def _has_something_to_run(environment: Environment) -> bool:
    if not may_have_cluster(environment):
        return False
    try:
        return bool(lifecycle.audit(resolve(environment)).steps)
    except InvalidConfig:  # the log can be read although the configuration cannot
        return False


def _run_scripts(environment: Environment, reporter: Reporter) -> list[StepResult]:
    with session(environment, "rigger audit", reporter, Consent()) as work:
        plan = lifecycle.audit(work.config)
        require_scripts(plan)
        return failures(Run(environment, work.config, reporter, work.lock).carry_out(plan))
