"""Bring a cluster to its configuration, or say what that would take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rigger.audit.events import LeftBehind
from rigger.configuration.identity import require_recorded
from rigger.configuration.resolve import resolve
from rigger.environments.state import state_of
from rigger.errors import DifferencesFound, Locked
from rigger.operations.consent import Consent
from rigger.operations.session import Session, session
from rigger.plans import provision as plans
from rigger.runs.output import drop_outdated
from rigger.runs.programs import leaving, left_behind
from rigger.runs.recovery import load_config
from rigger.runs.reporter import Reporter, Silent
from rigger.runs.run import Run
from rigger.sources.checkout import check_checkout, restore
from rigger.values import frozen

if TYPE_CHECKING:
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.operations.result import RunResult
    from rigger.plans.model import Plan


@frozen
class Planned:
    """What a command would do; nothing of it was done."""

    plan: Plan

    def as_dict(self) -> dict[str, Any]:
        return self.plan.as_dict()


def provision(
    environment: Environment,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
    again: bool = False,
) -> RunResult:
    """Create the cluster that the current configuration describes, or bring it up to date.

    `again` runs every step, also those that are up to date. Raises NotReady before anything was started, StepFailed or
    Interrupted with the result so far, BadUsage where data would be lost and nobody agreed to that.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    bring_back = lambda: restore(environment, reporter.line, reporter.progress)  # noqa: E731
    with session(environment, "rigger provision", reporter, consent, bring_back) as work:
        work.state.require_no_upgrade(work.name)
        work.state.require_running(work.name)
        standing = check_checkout(environment, work.config.values)
        plan = _plan(environment, work.config, again)
        _show(work, plan, standing)
        work.require_ready(plan)
        work.claim(plan)
        _agree_to_make_again(work, plan)
        if plan.removals:
            consent.agree("Go on, although what is named above will be lost?")
        result = work.run(plan, before={"plan": plan.as_dict()})
        drop_outdated(environment, resolve(environment))
        return result


def _agree_to_make_again(work: Session, plan: Plan) -> None:
    """Ask before a create that was killed makes again what it may have made; raises BadUsage or Interrupted."""
    creates = [step for step in plan.steps if step.verb == "create"]
    if not creates or not work.state.steps.unfinished(creates[0].key):
        return
    items = left_behind(work.environment, work.config)
    if not items:
        return
    if new := [item for item in items if item not in work.state.leftovers.items]:
        work.record(LeftBehind(items=new))
    for item in items:
        work.reporter.warn(f"{item}.")
    work.consent.agree("Go on, although that may exist already, and would be made a second time?")


def plan(
    environment: Environment, reporter: Reporter | None = None, again: bool = False, machines: bool = False
) -> Planned:
    """Return what provision would do; `machines` has the provider show what its create would change."""
    reporter = reporter or Silent()
    config = resolve(environment)
    require_recorded(environment, config)
    planned = _plan(environment, config, again)
    if machines:
        reporter.plan(planned)
        _show_machines(environment, config, planned, reporter)
    return Planned(planned)


def _plan(environment: Environment, config: Config, again: bool) -> Plan:
    steps, nodes = state_of(environment).steps, environment.nodes()
    return plans.provision(
        config, steps, nodes, environment.key(), again, lambda: leaving(environment, config, nodes)
    )


def _show(work: Session, plan: Plan, standing: str) -> None:
    config = work.config
    version = config.values.get("VERSION", "")
    work.reporter.heading(f"{work.name}: {config.platform.name} {version} on {config.provider.name}")
    if standing:
        work.reporter.line(f"  {standing}")
    work.reporter.plan(plan)


def _show_machines(environment: Environment, config: Config, planned: Plan, reporter: Reporter) -> None:
    """Have the provider's own plan script, if it has one, show what its create would change."""
    shown = plans.machines(config, planned)
    if not shown.steps:
        return
    try:
        with environment.locked("rigger provision --plan") as lock:
            result = Run(environment, load_config(environment), reporter, lock).carry_out(shown)[0]
    except Locked as problem:
        reporter.warn(f"What create would change cannot be looked at now: {problem.message}")
        return
    if reporter.live:
        with open(result.log, "rb") as file:
            reporter.pass_on(file.read())
    if result.exit_code not in (0, DifferencesFound.exit_code):
        reporter.warn(f"What would change could not be shown: {result.describe(environment)}")
