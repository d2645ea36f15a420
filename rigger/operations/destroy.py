"""Remove a cluster, and say what is left of it."""

from __future__ import annotations

from rigger.audit.events import Destroyed
from rigger.configuration import module_state
from rigger.configuration.resolve import look_up_references, resolve
from rigger.environments import reserve
from rigger.environments.last_backup import LastBackup, last_backup
from rigger.environments.state import state_of
from rigger.errors import NotReady, StepFailed
from rigger.operations.approval import inputs_of, require_approved
from rigger.operations.consent import Consent
from rigger.operations.planned import Planned
from rigger.operations.session import Session, session
from rigger.plans import lifecycle
from rigger.plans.scripts import require_scripts
from rigger.runs.output import drop_outputs
from rigger.runs.own_folder import require_whole
from rigger.runs.reporter import Reporter, Silent
from rigger.runs.result import StepResult, failures, what_they_printed
from rigger.text import ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rigger.environments.environment import Environment
    from rigger.operations.result import RunResult

ASKED = "destroy"


def destroy(
    environment: Environment, reporter: Reporter | None = None, consent: Consent | None = None
) -> RunResult:
    """Remove the platform, the machines and their data; the environment's record stays.

    Raises Declined or BadUsage where nobody agrees, StepFailed, with what is left over, where not all is gone,
    NotReady where the scripts would not find what exists, as what they had written is not here.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    reserve.give_back(environment)
    _require_writable(environment)

    def approve() -> None:
        require_approved(environment, ASKED)

    with session(environment, "rigger destroy", reporter, consent, approve, asked=None) as work:
        plan = lifecycle.destroy(work.config, work.state.steps, work.nodes)
        require_scripts(plan)
        require_whole(environment, plan)
        work.claim(plan)
        reporter.heading(f"This will go from {work.name}, for good:")
        for item in plan.removals:
            reporter.line(f"  {item}")
        last = last_backup(environment)
        reporter.line(_told_of_backup(work, last))
        consent.agree_by_name(f"Type {work.name} to destroy it", work.name)
        result = work.run(plan, before={"backup": last.as_dict() if last else None}, after=_report)
        _require_destroyed(environment, result)
        work.record(Destroyed(nodes=plan.leaving), result.run)
        module_state.write(environment, work.config)
        drop_outputs(environment, work.config)  # a shell must not be pointed at what is no more
    return result


def plan(environment: Environment, reporter: Reporter | None = None) -> Planned:
    """Return what destroy would remove; nothing of it is done. Raises NotReady where a script cannot run."""
    reporter = reporter or Silent()
    look_up_references(environment)
    config = resolve(environment)
    planned = lifecycle.destroy(config, state_of(environment).steps, environment.nodes())
    require_scripts(planned)
    reporter.plan(planned)
    digest = inputs_of(environment, ASKED, config).digest
    return Planned(planned, digest=digest, running=environment.lock.holder())


def _require_writable(environment: Environment) -> None:
    """Raise NotReady where nothing that is done could be recorded, with the way that leads on from there."""
    if reason := environment.lock.unwritable():
        raise NotReady(
            f"Nothing can be written in {environment.path} ({reason}), so there would be no record of what is destroyed.",
            'Where it cannot be made writable again, "rigger save --with-secrets -o FILE" here, and "rigger configure '
            '--file FILE" with another RIGGER_HOME: "rigger destroy" works there.',
        )


def _told_of_backup(work: Session, last: LastBackup | None) -> str:
    """Return whether the data of a cluster is anywhere else than on its machines."""
    if last is not None:
        return f"What stays of its data is the last backup: {last.describe()}."
    can = work.config.platform.script("backup") is not None
    way = f'"rigger -e {work.name} backup" makes one' if can else f"{work.config.platform.name} makes none"
    return f"There is no backup of its data: {way}."


def _report(steps: Sequence[StepResult]) -> Mapping[str, Any]:
    return {"leftovers": _leftovers(steps)}


def _leftovers(steps: Sequence[StepResult]) -> list[str]:
    return [item for step in steps for item in step.leftovers]


def _require_destroyed(environment: Environment, result: RunResult) -> None:
    """Raise StepFailed if anything is left, or if the provider could not say that nothing is."""
    left = list(dict.fromkeys([*_leftovers(result.steps), *state_of(environment).leftovers.items]))
    failed = [step for step in failures(result.steps) if step.step.module.role == "provider"]
    if not any(step.leftovers for step in failed):  # what it names itself is all there is
        left += [f"machine {node.name} ({node.address})" for node in environment.nodes()]
    if not left and not failed:
        return
    sentences = " ".join(step.describe() for step in failed)
    listed = "\n".join(f"  {item}" for item in left)
    problem = StepFailed(
        f"{environment.name} is not destroyed completely. {sentences}".rstrip()
        + (f"\nLeft over:\n{listed}" if left else ""),
        ways(
            *what_they_printed(failed),
            ("Try again", "rigger destroy"),
            (
                "Take off the record what you have seen to be gone (all of it: --all-gone)",
                "rigger leftovers --gone NAME",
            ),
        ),
    )
    raise problem.with_result(result)
