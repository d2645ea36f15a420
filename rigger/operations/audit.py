"""Is an environment's record what was written, and its cluster what rigger made?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rigger.audit.head import REPAIRS, Head
from rigger.configuration.identity import id_of
from rigger.configuration.resolve import resolve
from rigger.environments.state import may_have_cluster
from rigger.errors import BadUsage, DifferencesFound, InvalidConfig, StepFailed
from rigger.operations.bundle import verify
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
    from rigger.environments.home import Home

BROKEN = f"Compare it with a bundle: rigger audit --bundle FILE. {REPAIRS.partition('; ')[2]}"
ELSEWHERE = (
    "What was noted may be newer, of another machine: load its newest bundle. Else the log was changed."
)


@frozen
class Audited:
    """What the audit log is, and in a sentence each what was changed by hand; None where nobody looked for that."""

    verdict: Verdict
    changed: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        verdict = self.verdict
        log = {"records": verdict.count, "head": verdict.head_hash, "problems": list(verdict.problems)}
        return log if self.changed is None else {**log, "changed": list(self.changed)}


@frozen
class Repaired:
    """An audit log that goes on from what could be kept of it."""

    environment: str
    damaged: str  # the path of the log as it was, empty where there was none
    lost: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"environment": self.environment, "damaged": self.damaged, "lost": list(self.lost)}


def audit(environment: Environment, reporter: Reporter | None = None, head: Head | None = None) -> Audited:
    """Verify the audit log, then run the modules' own audit scripts, where there is a cluster to look at.

    `head` was noted elsewhere; the log must contain it. Raises DifferencesFound, with the result, where something is not
    as it was made; StepFailed where a script could not tell.
    """
    reporter = reporter or Silent()
    verdict = environment.audit.verify((head.count, head.hash) if head else None)
    if verdict.problems:
        listed = "\n".join(f"  {problem}" for problem in verdict.problems)
        own = not head or environment.audit.verify().problems
        broken = DifferencesFound(
            f"The audit log of {environment.name} is not what was written:\n{listed}",
            BROKEN if own else ELSEWHERE,
        )
        raise broken.with_result(Audited(verdict))
    reporter.line(f"{verdict.count} records, unbroken. Head: {verdict.count}:{verdict.head_hash}")
    result = Audited(verdict, _changed_by_hand(environment, reporter))
    if result.changed:
        differs = DifferencesFound(
            f"{environment.name} is not what rigger made: {' '.join(result.changed)}",
            'Take back what was changed by hand; "rigger logs" shows it.',
        )
        raise differs.with_result(result)
    return result


def read_head(text: str) -> Head:
    """Return a head that is written COUNT:HASH; raises BadUsage."""
    if head := Head.parse(text):
        return head
    raise BadUsage(
        f"{text!r} is no head of an audit log: it is COUNT:HASH, with 64 digits of hex.",
        '"rigger save" and "rigger audit" print it.',
    )


def head_in(home: Home, environment: Environment, path: str) -> Head:
    """Return the head that a bundle of the environment holds; raises Refused for a bundle that is not whole.

    Raises BadUsage for a bundle of another environment.
    """
    fields = verify(home, path).manifest.fields
    if fields["id"] != id_of(environment, f"{fields['prefix']}_ID"):
        raise BadUsage(
            f"{path} is a bundle of {fields['name']} ({fields['id']}), not of {environment.name}.",
            'Name its environment: "rigger -e NAME audit --bundle FILE".',
        )
    return Head(fields["audit"]["count"], fields["audit"]["head"])


def repair(
    environment: Environment, reporter: Reporter | None = None, consent: Consent | None = None
) -> Repaired:
    """Let a broken audit log go on from what can be kept of it, once somebody has agreed to what is lost.

    Raises BadUsage for a log that is not broken, or where nobody agreed.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    with environment.locked("rigger audit --repair"):
        problems = environment.audit.verify().problems
        if not problems:
            raise BadUsage(f"The audit log of {environment.name} is unbroken.", "Nothing has to be repaired.")
        found = environment.audit.salvage()
        reporter.warn(f"The audit log of {environment.name} is not what was written:")
        for problem in problems:
            reporter.line(f"  {problem}")
        reporter.line(f"Kept: {len(found.lines)} records as they are, {len(found.again)} recorded again.")
        reporter.line(f"Lost: {'; '.join(found.lost) or 'nothing'}.")
        consent.agree("Keep the file as it is aside, and go on with what is kept?")
        aside = environment.audit.repair()
    return Repaired(environment.name, aside and environment.file(aside), found.lost)


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
