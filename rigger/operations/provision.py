"""Bring a cluster to its configuration, or say what that would take."""

from __future__ import annotations

import sys

from rigger.audit.events import LeftBehind, VersionChangeAllowed
from rigger.audit.runs import running
from rigger.configuration.identity import require_recorded
from rigger.configuration.resolve import look_up_references, resolve
from rigger.configuration.version import require_same_version, shown, version_change
from rigger.environments.state import state_of
from rigger.errors import Locked
from rigger.later import later
from rigger.operations.approval import inputs_of, require_approved
from rigger.operations.consent import Consent
from rigger.operations.costs import agree_to_costs, costs, show_costs, show_machines, show_plans
from rigger.operations.planned import Planned
from rigger.operations.related import addon, related, require_met
from rigger.plans import addons
from rigger.plans import provision as plans
from rigger.plans.model import Plan
from rigger.process.actor import actor
from rigger.runs.reporter import Reporter, Silent
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.operations import influence, session
    from rigger.operations.result import RunResult
    from rigger.operations.session import Session
    from rigger.plans.addons import Related
    from rigger.runs import output, programs, recovery
    from rigger.sources import checkout, whole
else:  # a plan that is only shown, which people wait for, needs nothing of what runs one
    influence = later("rigger.operations.influence")
    session = later("rigger.operations.session")
    output = later("rigger.runs.output")
    programs = later("rigger.runs.programs")
    recovery = later("rigger.runs.recovery")
    checkout = later("rigger.sources.checkout")
    whole = later("rigger.sources.whole")


def provision(
    environment: Environment,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
    again: bool = False,
    allow_version_change: bool = False,
    modules: Sequence[str] = (),
) -> RunResult:
    """Create the cluster that the current configuration describes, or bring it up to date.

    `again` runs every step, also those that are up to date; `allow_version_change` changes the version without an
    upgrade; `modules` are those that are meant, all where none are named. Raises InvalidConfig for another version where that is not allowed, NotReady before anything was started,
    StepFailed or Interrupted with the result so far, BadUsage where data would be lost and nobody agreed to that.
    """
    reporter, consent = reporter or Silent(), consent or Consent()

    def bring_back() -> None:
        require_approved(environment, _asked(again, allow_version_change, modules))
        state = state_of(environment)
        state.require_no_upgrade(environment.name)
        state.require_running(environment.name)
        _require_version(environment, allow_version_change, reporter)
        checkout.restore(environment, reporter.line, reporter.progress)

    with session.session(environment, "rigger provision", reporter, consent, bring_back, asked=None) as work:
        work = _with_wanted_version(work, allow_version_change)
        standing = checkout.check_checkout(environment, work.config.values)
        whole.require_whole(environment, work.config.values)
        others = related(environment, work.config)
        plan = _plan(environment, work.config, again, modules, others)
        _show(work, plan, standing)
        require_met(environment, work.config, plan, others)
        work.require_ready(plan)
        work.claim(plan)
        _agree_to_make_again(work, plan)
        agree_to_costs(work, plan)
        if plan.removals:
            consent.agree("Continue, although what is named above will be lost?")
        result = work.run(
            plan, before={"plan": plan.as_dict()}, after=lambda steps: influence.influenced(work, steps)
        )
        output.drop_outdated(environment, resolve(environment))
        return result


def _agree_to_make_again(work: Session, plan: Plan) -> None:
    """Ask before a create that was killed makes again what it may have made; raises BadUsage or Declined."""
    if not plan.creates or not work.state.steps.unfinished(plan.creates[0].key):
        return
    items = programs.left_behind(work.environment, work.config)
    if not items:
        return
    if new := [item for item in items if item not in work.state.leftovers.items]:
        work.record(LeftBehind(items=new))
    for item in items:
        work.reporter.warn(f"{item}.")
    work.consent.agree("Continue, although that may exist already, and would be made a second time?")


def plan(
    environment: Environment,
    reporter: Reporter | None = None,
    again: bool = False,
    machines: bool = False,
    allow_version_change: bool = False,
    modules: Sequence[str] = (),
) -> Planned:
    """Return what provision would do; `machines` has the provider show what its create would change.

    Raises InvalidConfig where it would refuse to change the version.
    """
    reporter = reporter or Silent()
    look_up_references(environment)
    config = resolve(environment)
    if not allow_version_change:
        require_same_version(environment, config.values)
    require_recorded(environment, config)
    others, known, busy = related(environment, config), costs(config), environment.lock.holder()
    planned = _plan(environment, config, again, modules, others)
    require_met(environment, config, planned, others)
    differs = planned.changes
    if machines:
        reporter.plan(planned)
        differs = _show_machines(environment, config, planned, reporter, others)
        if known:
            show_costs(reporter, known)
    inputs = inputs_of(environment, _asked(again, allow_version_change, modules), config)
    return Planned(planned, known, inputs.digest, busy, differs)


def _asked(again: bool, allow_version_change: bool, modules: Sequence[str]) -> str:
    """Return what was asked for, as far as the plan follows from it."""
    return f"provision again={again} allow_version_change={allow_version_change} {' '.join(modules)}"


def _with_wanted_version(work: Session, allow: bool) -> Session:
    """Return a session with the version that is configured, or that a default says where none is."""
    values = work.environment.vars()
    if values.get("VERSION") and not version_change(work.environment, values):
        return work
    wanted = resolve(work.environment)
    if not allow:
        require_same_version(work.environment, wanted.values)
    return replace(work, config=wanted)


def _require_version(environment: Environment, allow: bool, reporter: Reporter) -> None:
    """Raise InvalidConfig where another version than the one that runs is configured, unless that is allowed."""
    values = environment.vars()
    change = version_change(environment, values)
    if not change or not allow:
        require_same_version(environment, values)
        return
    running, wanted = change.running, change.wanted
    allowed = VersionChangeAllowed(
        from_=running.version, to=wanted.version, ref=wanted.ref, checkout=wanted.folder, by=actor()
    )
    environment.audit.append(allowed)
    reporter.warn(
        f"{environment.name} goes from {shown(running)} to {shown(wanted)} without what an upgrade does first: "
        "no backup is made, nothing is saved, no application is watched."
    )


def _plan(
    environment: Environment, config: Config, again: bool, modules: Sequence[str], others: Related | None
) -> Plan:
    for name in modules:
        if name not in (config.provider.name, config.platform.name):
            addon(config, name)
    state, nodes = state_of(environment), environment.nodes()
    renewed = environment.call.since or sys.maxsize  # what ran since then did so for this very request
    return plans.provision(
        config,
        state.steps,
        nodes,
        environment.key(),
        renewed if again else 0,
        lambda: programs.leaving(environment, config, nodes),
        others,
        modules,
        running(state.runs, environment.lock.busy_since()),
    )


def _show(work: Session, plan: Plan, standing: str) -> None:
    config = work.config
    version = config.values.get("VERSION", "")
    work.reporter.heading(f"{work.name}: {config.platform.name} {version} on {config.provider.name}")
    if standing:
        work.reporter.line(f"  {standing}")
    work.reporter.plan(plan)


def _show_machines(
    environment: Environment, config: Config, planned: Plan, reporter: Reporter, others: Related | None
) -> bool:
    """Have the modules show what would change, those that can, and where nobody works here now.

    Return whether anything would, or may where they could not be asked.
    """
    steps = addons.shown(config, others, planned.steps) if others else ()
    if not (plans.machines(config, planned).steps or steps):
        return planned.changes
    if reason := environment.lock.unwritable():
        reporter.warn(f"What would change cannot be looked at now: {environment.path}: {reason}.")
        return planned.changes
    try:
        with environment.locked("rigger provision --plan") as lock:
            config = recovery.load_config(environment)
            show_machines(environment, config, planned, reporter, lock)
            differs = show_plans(environment, config, Plan("plan", steps), reporter, lock)
    except Locked as problem:
        reporter.warn(f"What would change cannot be looked at now: {problem.message}")
        return planned.changes
    return differs or planned.surely_changes
