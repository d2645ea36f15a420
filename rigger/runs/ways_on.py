"""The command that leads on from a step that failed, or from a run that was stopped."""

from __future__ import annotations

import shlex

from rigger.errors import StepFailed
from rigger.text import ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.errors import NotReady, Unwritable
    from rigger.plans.model import Plan, Step
    from rigger.process.step import Outcome
    from rigger.runs.result import StepResult


def after_failure(plan: Plan, result: StepResult) -> str:
    """Return what to type after a step failed."""
    step, printed = result.step, ("What it printed", result.show_log)
    if plan.command != "provision":
        return ways(printed, ("Correct that, then", again(plan)))
    if step.checks:
        before = ("To run what the check looks at again", "rigger provision")
        return ways(printed, before, ("What exists", "rigger status"))
    found = [printed, ("Correct that, then resume with this step", "rigger provision")]
    if any(done.module == step.module and done.verb == "install" for done in plan.up_to_date):
        found.append(("If what install put in place is gone", "rigger provision --again"))
    return ways(*found, ("What exists", "rigger check"))


def after_interrupt(plan: Plan, result: StepResult | None = None) -> str:
    """Return what to type after a run was interrupted; `result` is that of the step that was."""
    finished = "; finished steps are not repeated" if plan.command == "provision" else ""
    printed = [("What it printed", result.show_log)] if result else []
    return ways(*printed, (f"Resume{finished}", again(plan)))


def again(plan: Plan) -> str:
    """Return the command that a plan belongs to, as it is typed."""
    if plan.command.split()[0] == "restore":
        return f"rigger {plan.command} {shlex.quote(plan.environ['RIGGER_BACKUP_FILE'])}"
    return "rigger provision --plan" if plan.command == "plan" else f"rigger {plan.command}"


def not_recorded(what: str, problem: NotReady) -> StepFailed:
    reason = getattr(problem.__cause__, "strerror", None) or problem.message
    return StepFailed(
        f"{what[0].upper()}{what[1:]}, but that could not be recorded: {reason}.",
        "Make room or correct the permissions, then run the same command again; it repeats what has no record.",
    )


def not_kept(ended: Step, outcome: Outcome, problem: Unwritable) -> StepFailed:
    return StepFailed(
        f"{ended.shown} exited {outcome.exit_code}, but what it gave back could not be kept: {problem.message.rstrip('.')}.",
        "Make room or correct the permissions, then run the same command again; it takes that over first.",
    )
