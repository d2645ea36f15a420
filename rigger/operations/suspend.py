"""End the machines or turn them off, keep everything else, and start them again."""

from __future__ import annotations

import os

from rigger.audit.events import Resumed, Suspended, SuspendStarted
from rigger.errors import BadUsage
from rigger.operations.consent import Consent
from rigger.operations.session import Session, session
from rigger.plans import lifecycle
from rigger.runs.reporter import Reporter, Silent
from rigger.sources.whole import require_whole
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.environment import Environment
    from rigger.operations.result import RunResult
    from rigger.plans.model import Plan


def suspend(
    environment: Environment, reporter: Reporter | None = None, consent: Consent | None = None
) -> RunResult:
    """End the machines or turn them off, after a backup where their data goes with them.

    Raises BadUsage where there is nothing to suspend, the provider cannot, or nobody agreed.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    with session(environment, "rigger suspend", reporter, consent) as work:
        work.require_cluster("suspend", deployed=False)
        work.state.require_no_upgrade(work.name)
        begun = work.state.suspension
        emptied = begun is not None and begun.emptied
        plan = work.prepared(lifecycle.suspend(work.config, work.state.steps, work.nodes, emptied))
        work.show(plan)
        work.claim(plan)
        backup = _new_or_begun_backup(work, plan)
        path = environment.file(backup) if backup else ""
        _show(work, plan, path)
        consent.agree("Suspend it?")
        work.record(SuspendStarted(backup=backup))
        plan = replace(plan, environ={"RIGGER_BACKUP_FILE": path} if backup else {})
        result = work.run(plan, before={"backup": path})
        work.record(Suspended(backup=backup), result.run)
        return result


def resume(
    environment: Environment,
    reporter: Reporter | None = None,
    empty: bool = False,
    consent: Consent | None = None,
) -> RunResult:
    """Start suspended machines again, with the platform and, unless `empty`, its data.

    Raises BadUsage where nothing is suspended or the backup is gone, StepFailed where a step failed.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    asked = f"resume empty={empty}"
    with session(environment, "rigger resume", reporter, consent, asked=asked) as work:
        work.require_cluster("resume", deployed=False)
        require_whole(environment, work.config.values)
        plan = work.prepared(lifecycle.resume(work.config, _backup_to_restore(work, empty), work.state.steps))
        work.show(plan)
        work.claim(plan)
        result = work.run(plan)
        work.record(Resumed(), result.run)
        return result


def _new_or_begun_backup(work: Session, plan: Plan) -> str:
    """Return the path of the backup inside the environment: a new one, or that of a suspend that goes on."""
    if any(step.verb == "backup" for step in plan.steps):
        return os.path.relpath(work.environment.backups.new(), work.environment.path)
    return work.state.suspension.saved if work.state.suspension else ""


def _show(work: Session, plan: Plan, backup: str) -> None:
    if work.config.provider.suspend == "stops":
        work.reporter.heading(f"The machines of {work.name} will be turned off; what is on them stays.")
        return
    work.reporter.heading(f"This will go from {work.name} until it is resumed:")
    for item in plan.removals or ("its machines and all data on them",):
        work.reporter.line(f"  {item}")
    kept = f"The platform's data is kept in {backup}." if backup else "No backup of the data is made."
    work.reporter.line(kept)


def _backup_to_restore(work: Session, empty: bool) -> str:
    """Return the backup of the last suspend, nothing where none was made or none is wanted; raises BadUsage."""
    suspension = work.state.suspension
    if suspension is None:
        raise BadUsage(f"{work.name} is not suspended.", '"rigger status" shows what exists.')
    saved = "" if empty else suspension.backup
    path = work.environment.file(saved) if saved else ""
    if path and not os.path.isfile(path):
        raise BadUsage(
            f"The backup that resume would put back is not here: {path}.",
            'Put it there again, or type "rigger resume --empty" for a cluster without its data.',
        )
    return path
