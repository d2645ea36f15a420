"""Is an environment's record what was written, and its cluster what rigger made?"""

from __future__ import annotations

from rigger.audit.head import REPAIRS, Head
from rigger.audit.secrets import is_hidden
from rigger.configuration.identity import id_of
from rigger.configuration.resolve import resolve
from rigger.environments.state import may_have_cluster, state_of
from rigger.errors import BadUsage, DifferencesFound, InvalidConfig, StepFailed
from rigger.operations.bundle import verify
from rigger.operations.consent import Consent
from rigger.operations.found import Found, found_by
from rigger.operations.related import addon
from rigger.operations.session import Session, session
from rigger.plans import lifecycle
from rigger.plans.changes import configured_since, say_changes
from rigger.plans.scripts import require_scripts
from rigger.runs.reporter import Reporter, Silent
from rigger.runs.result import what_they_printed
from rigger.text import ways
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.audit.log import Verdict
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.environments.home import Home

BROKEN = f'Compare it with a bundle: "rigger audit --bundle FILE". {REPAIRS.partition("; ")[2]}'
ELSEWHERE = (
    "What was noted may be newer, of another machine: load its newest bundle. Else the log was changed."
)


@frozen
class Audited:
    """What the audit log is, and in a sentence each what was changed by hand; None where nobody looked for that."""

    verdict: Verdict
    changed: tuple[str, ...] | None = None
    not_looked_at: tuple[str, ...] = ()  # in a sentence each: modules, and why
    found: Found = field(default_factory=Found)  # what of the changes the configuration could say

    def as_dict(self) -> dict[str, Any]:
        verdict = self.verdict
        log = {"records": verdict.count, "head": verdict.head_hash, "problems": list(verdict.problems)}
        if self.changed is None:
            return log
        return {**log, "changed": list(self.changed), "not_looked_at": list(self.not_looked_at)}


@frozen
class Repaired:
    """An audit log that goes on from what could be kept of it."""

    environment: str
    damaged: str  # the path of the log as it was, empty where there was none
    lost: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"environment": self.environment, "damaged": self.damaged, "lost": list(self.lost)}


def audit(
    environment: Environment, reporter: Reporter | None = None, head: Head | None = None, module: str = ""
) -> Audited:
    """Verify the audit log, then run the modules' own audit scripts, where there is a cluster to look at.

    `head` was noted elsewhere; the log must contain it. `module` is the one to look at, all where none is named. Raises
    DifferencesFound, with the result, where something is not as it was made; StepFailed where a script could not tell.
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
    reporter.line(f"{verdict.count} records, unbroken. Head:")
    reporter.line(f"  {verdict.count}:{verdict.head_hash}")
    result = _looked_at(environment, verdict, reporter, module)
    for sentence in result.not_looked_at:
        reporter.warn(sentence)
    return result


def _require_unchanged(environment: Environment, result: Audited) -> None:
    """Raise DifferencesFound, with the result, where something was changed by hand."""
    if result.changed:
        differs = DifferencesFound(
            f"{environment.name} is not what rigger made: {' '.join(result.changed)}",
            ways(
                (
                    "Take back what was changed by hand; it is shown by",
                    f"rigger logs {state_of(environment).runs.count}",
                ),
                *(
                    [("Or take it into the configuration", "rigger audit --reflect")]
                    if result.found.values
                    else []
                ),
            ),
        )
        raise differs.with_result(result)


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
        consent.agree("Put the old file aside, and continue with what is kept?")
        aside = environment.audit.repair()
    return Repaired(environment.name, aside and environment.file(aside), found.lost)


def _looked_at(environment: Environment, verdict: Verdict, reporter: Reporter, module: str) -> Audited:
    """Return what the audit scripts found, and which modules have none; raises StepFailed where one could not tell."""
    if not may_have_cluster(environment):
        return Audited(verdict, ())
    try:
        config = resolve(environment)
    except InvalidConfig as problem:  # the log can be read although the configuration cannot
        return Audited(verdict, (), (f"No module was looked at: {problem.message}",))
    if module and module not in (config.provider.name, config.platform.name):
        addon(config, module)
    unaudited = lifecycle.unaudited(config, module)
    if not lifecycle.audit(
        config, module
    ).steps:  # nor is anything locked: a log is read on a read-only disk too
        return Audited(verdict, (), unaudited)
    with session(environment, "rigger audit", reporter, Consent()) as work:
        config = _as_provisioned(work)
        plan = lifecycle.audit(config, module)
        require_scripts(plan)
        work.config = config
        results = work.run(plan).steps
        if broken := [result for result in results if result.failed]:
            raise StepFailed(
                " ".join(result.describe() for result in broken), ways(*what_they_printed(broken))
            )
        changed = tuple(f"{result.step.shown} found differences." for result in results if result.differs)
        looked = Audited(verdict, changed, unaudited, found_by(results))
        _require_unchanged(environment, looked)
    return looked


def _as_provisioned(work: Session) -> Config:
    """Return the configuration that the cluster was made with, as far as it is known, and say what is another now.

    What was configured since is a wish: the cluster's not having it is nobody's change by hand.
    """
    changes = configured_since(work.config, work.state.steps, work.environment.key())
    if not changes:
        return work.config
    work.reporter.line(f"Looked for as it was provisioned; configured since: {say_changes(changes)}.")
    before = {n: old or "" for n, (old, _) in changes.items() if not is_hidden(old)}
    version = {name: work.config.values[name] for name in ("VERSION",) if name in work.config.values}
    try:
        return resolve(work.environment, {**version, **before})
    except InvalidConfig as problem:
        raise InvalidConfig(
            f"What {work.name} was provisioned with cannot be used any more: {problem.message}",
            'Provision it again: "rigger provision --plan" says what that would do.',
        ) from None
