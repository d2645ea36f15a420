"""Bring a cluster to another version of its platform, or say what that would take."""

from __future__ import annotations

import os

from rigger.audit.events import UpgradeFinished, UpgradeRolledBack, UpgradeStarted
from rigger.audit.stages import Stages
from rigger.audit.steps import StepHistory
from rigger.audit.upgrades import Request
from rigger.bundles import contents
from rigger.bundles.contents import default_path
from rigger.configuration.resolve import resolve
from rigger.errors import Paused, RiggerError, RolledBack, StepFailed
from rigger.operations.consent import Consent
from rigger.operations.rehearsal_required import require_rehearsal, required_age
from rigger.operations.session import Session, session
from rigger.operations.upgrade_checkout import Release, agreement, check_out, release_to_check_out
from rigger.operations.upgrade_record import command_for, ways_out
from rigger.operations.upgrade_request import UpgradeOptions, request_of
from rigger.operations.upgrade_stages import StageRecords, agree
from rigger.plans import upgrade as plans
from rigger.plans.lifecycle import with_clients
from rigger.runs.reporter import Reporter, Silent
from rigger.sources.checkout import restore
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.operations.result import RunResult
    from rigger.plans.model import Plan, Step
    from rigger.runs.result import StepResult
    from rigger.runs.run import Run


def upgrade(
    environment: Environment,
    options: UpgradeOptions,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> RunResult:
    """Bring the cluster to another version of its platform, after saving it as it is.

    Raises BadUsage for an upgrade that makes no sense, NotReady before anything was started (also where a rehearsal of it
    is required, and none says go), StepFailed, Paused or
    Interrupted with the result so far and the ways on from there, RolledBack where it went back by itself.
    """
    reporter, consent = reporter or Silent(), consent or Consent()

    def clone_again() -> None:
        restore(environment, reporter.line, reporter.progress, agreement(environment, reporter, consent))

    asked = f"upgrade {options!r}"
    with session(environment, "rigger upgrade", reporter, consent, clone_again, asked) as work:
        before = work.config
        age = required_age(environment, options.rehearsed)
        request, plan = _planned(work, options)
        if age is not None and not (request.since or request.back):
            require_rehearsal(environment, before, request, age)
        work.require_ready(plan)
        work.claim(plan)
        release = release_to_check_out(work, request)
        if not (request.since or request.back):
            _save_before(work, before)
        request = _begun(work, request)
        if options.resume:
            agree(work)
        try:
            result = _run(work, request, plan, release)
        except StepFailed as problem:
            if not _goes_back(work, request, problem):
                raise
            raise _gone_back(work, request, problem) from problem
        _finish(work, request, result)
    return result


def _planned(work: Session, options: UpgradeOptions) -> tuple[Request, Plan]:
    """Return what is asked for, and its plan; the session's configuration has the version to reach from then on."""
    work.state.require_running(work.name)
    if work.environment.call.since and work.state.upgrade:  # which the killed run of the same request began
        options = UpgradeOptions(resume=True)
    request = request_of(work, options)
    return request, _plan(work, request)


def _plan(work: Session, request: Request) -> Plan:
    """Return the plan of what is asked for, and show it."""
    work.config = resolve(work.environment, {"VERSION": request.to})
    state = work.state
    since = state.upgrade if state.upgrade and request.since else None
    steps, stages = (since.steps, since.stages) if since else (StepHistory(), Stages())
    nodes = [node.name for node in work.nodes]
    plan = plans.steps(work.config, request, steps, state.steps, nodes, stages)
    plan = _with_clients(work, request, plan)
    _show(work, request, plan)
    return plan


def _with_clients(work: Session, request: Request, plan: Plan) -> Plan:
    environ = {"RIGGER_FROM_VERSION": request.start}
    if any(step.verb == "backup" for step in plan.steps):
        environ["RIGGER_BACKUP_FILE"] = work.environment.backups.new()
    return with_clients(work.config, work.environment.bin_dir, replace(plan, environ=environ))


def _show(work: Session, request: Request, plan: Plan) -> None:
    work.shown = False  # the rest after a pause, and the way back, are plans of their own
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
    """Run the steps; where it waits for somebody who agrees, go on. What is raised says the exact state and the ways on."""
    try:
        return _run_once(work, request, plan, release)
    except Paused as problem:
        problem.next_step = ways_out(work, request)
        if not work.consent.says_yes(f"{problem.message} Continue?"):
            raise
        agree(work)
        return _after(problem, _run(work, request, _plan(work, request), release))
    except RiggerError as problem:
        problem.next_step = ways_out(work, request)
        raise


def _run_once(work: Session, request: Request, plan: Plan, release: Release | None) -> RunResult:
    records = StageRecords(work, request)

    def before_step(step: Step) -> None:
        if release and step.verb == request.verb:
            check_out(work, request, release)
        records.before(step)

    def prepare(run: Run) -> None:
        run.before_step, run.on_step_finished, records.run = before_step, records.after, run

    def judged(results: Sequence[StepResult]) -> Mapping[str, Any]:
        return {"stages": records.judgements} if records.judgements else {}

    return work.run(plan, {"from": request.start, "to": request.to}, judged, prepare)


def _after(problem: RiggerError, result: RunResult) -> RunResult:
    """Return a result with what had been done before an error in front of it."""
    first: RunResult = problem.result
    stages = [*first.after.get("stages", ()), *result.after.get("stages", ())]
    after = {**first.after, **result.after, **({"stages": stages} if stages else {})}
    seconds = first.seconds + result.seconds
    return replace(result, steps=(*first.steps, *result.steps), after=after, seconds=seconds)


def _goes_back(work: Session, request: Request, problem: StepFailed) -> bool:
    """Return whether an upgrade by stages that failed goes back by itself, as its manifest or somebody says."""
    pending = work.state.upgrade
    if pending is None or pending.stages.begun is None or request.back:
        return False
    wanted = work.config.platform.upgrades[request.style].on_failure
    question = f"{problem.message} Go back to {request.start}?"
    return wanted == "rollback" or wanted == "ask" and (work.consent.yes or work.consent.says_yes(question))


def _gone_back(work: Session, request: Request, problem: StepFailed) -> RolledBack:
    """Go back to the version from which an upgrade had begun; return the error that says so.

    What fails on the way back is raised, with the ways on from there.
    """
    work.reporter.warn(problem.message)
    back = Request(request.to, request.start, request.style, back=True)
    plan = _plan(work, back)
    release = release_to_check_out(work, back)
    back = _begun(work, back)
    result = _run(work, back, plan, release)
    _finish(work, back, result)
    again = f'Correct that, then "{command_for(request)}".'
    gone = RolledBack(f"{problem.message} Everything runs {request.start} again.", again)
    both = _after(problem, result)
    gone.result = replace(both, before={"from": request.start, "to": request.to})
    return gone


def _finish(work: Session, request: Request, result: RunResult) -> None:
    """Write the new version to the vars: only now does the cluster run it, as far as anybody knows."""
    version = request.to
    prefix = work.config.platform.prefix
    said = {"VERSION": version, f"{prefix}_VERSION": version}
    values = {**work.environment.values(), **said}
    if not request.back:
        values.pop("REF", None)  # from now on it is a release
    elif "REF" in values:
        said["REF"] = values["REF"]
    event = UpgradeRolledBack if request.back else UpgradeFinished
    figures = plans.report(result.steps)
    try:
        work.environment.save_values(values)
        work.record(event(from_=request.start, to=version, figures=figures, values=said), result.run)
    except RiggerError as problem:
        problem.result = result
        raise
