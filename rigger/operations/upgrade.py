"""Bring a cluster to another version of its platform, or say what that would take."""

from __future__ import annotations

import os

from rigger.audit.events import UpgradeFinished, UpgradeRolledBack, UpgradeStarted
from rigger.audit.steps import StepHistory
from rigger.bundles import contents
from rigger.bundles.contents import default_path
from rigger.configuration.resolve import resolve
from rigger.errors import RiggerError
from rigger.operations.consent import Consent
from rigger.operations.session import Session, session
from rigger.operations.upgrade_checkout import Release, agreement, check_out, release_to_check_out
from rigger.operations.upgrade_record import ways_out
from rigger.operations.upgrade_request import UpgradeOptions, request_of
from rigger.plans import upgrade as plans
from rigger.plans.lifecycle import with_clients
from rigger.runs.reporter import Reporter, Silent
from rigger.sources.checkout import restore
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.audit.upgrades import Request
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.operations.result import RunResult
    from rigger.plans.model import Plan, Step
    from rigger.runs.run import Run


def upgrade(
    environment: Environment,
    options: UpgradeOptions,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> RunResult:
    """Bring the cluster to another version of its platform, after saving it as it is.

    Raises BadUsage for an upgrade that makes no sense, NotReady before anything was started, StepFailed or Interrupted
    with the result so far and the ways on from there.
    """
    reporter, consent = reporter or Silent(), consent or Consent()

    def clone_again() -> None:
        restore(environment, reporter.line, reporter.progress, agreement(environment, reporter, consent))

    asked = f"upgrade {options!r}"
    with session(environment, "rigger upgrade", reporter, consent, clone_again, asked) as work:
        before = work.config
        work, request, plan = _planned(work, options)
        work.require_ready(plan)
        work.claim(plan)
        release = release_to_check_out(work, request)
        if not (request.since or request.back):
            _save_before(work, before)
        request = _begun(work, request)
        result = _run(work, request, plan, release)
        _finish(work, request, result)
    return result


def _planned(work: Session, options: UpgradeOptions) -> tuple[Session, Request, Plan]:
    """Return a session whose configuration has the version to reach, what is asked for, and its plan."""
    work.state.require_running(work.name)
    if work.environment.call.since and work.state.upgrade:  # which the killed run of the same request began
        options = UpgradeOptions(resume=True)
    request = request_of(work, options)
    work = replace(work, config=resolve(work.environment, {"VERSION": request.to}))
    plan = _plan(work, request)
    _show(work, request, plan)
    return work, request, plan


def _plan(work: Session, request: Request) -> Plan:
    state = work.state
    since = state.upgrade.steps if state.upgrade and request.since else StepHistory()
    plan = plans.steps(work.config, request, since, state.steps)
    environ = {"RIGGER_FROM_VERSION": request.start}
    if any(step.verb == "backup" for step in plan.steps):
        environ["RIGGER_BACKUP_FILE"] = work.environment.backups.new()
    return with_clients(work.config, work.environment.bin_dir, replace(plan, environ=environ))


def _show(work: Session, request: Request, plan: Plan) -> None:
    way = "back from" if request.back else "from"
    platform = work.config.platform.name
    work.reporter.heading(f"{work.name}: {platform} {way} {request.start} to {request.to}, {request.style}")
    work.show(plan)


def _save_before(work: Session, config: Config) -> None:
    """Save the environment as it is, so that there is a way back whatever happens."""
    folder = work.environment.file("saved")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    written = contents.save(work.environment, config, default_path(work.environment, folder))
    work.reporter.line("Saved before the upgrade:")
    work.reporter.line(f"  {written.path}")


def _begun(work: Session, request: Request) -> Request:
    """Return a request that the audit log has, by writing it there where that was not done before."""
    if request.since:
        return request
    begun = UpgradeStarted(from_=request.start, to=request.to, style=request.style, rollback=request.back)
    return replace(request, since=work.record(begun)["seq"])


def _run(work: Session, request: Request, plan: Plan, release: Release | None) -> RunResult:
    """Run the steps; what is raised says the exact state and the ways out of it."""

    def before_step(step: Step) -> None:
        if release and step.verb == request.verb:
            check_out(work, request, release)

    def prepare(run: Run) -> None:
        run.before_step = before_step

    try:
        return work.run(plan, before={"from": request.start, "to": request.to}, prepare=prepare)
    except RiggerError as problem:
        problem.next_step = ways_out(work, request)
        raise


def _finish(work: Session, request: Request, result: RunResult) -> None:
    """Write the new version to the vars: only now does the cluster run it, as far as anybody knows."""
    version = request.to
    prefix = work.config.platform.prefix
    values = {**work.environment.values(), "VERSION": version, f"{prefix}_VERSION": version}
    if not request.back:
        values.pop("REF", None)  # from now on it is a release
    event = UpgradeRolledBack if request.back else UpgradeFinished
    figures = plans.report(result.steps)
    try:
        work.environment.save_values(values)
        work.record(event(from_=request.start, to=version, figures=figures), result.run)
    except RiggerError as problem:
        problem.result = result
        raise
