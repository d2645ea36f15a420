"""The command that leads on from a step that failed, or from a run that was stopped."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rigger.plans.model import Plan, Step


def after_failure(plan: Plan, step: Step, run: str) -> str:
    """Return what to type after a step failed."""
    if plan.command != "provision":
        return f'Put that right and type "{again(plan)}"; "rigger logs {run}" shows all that was printed.'
    if step.checks:
        return 'Type "rigger status" to see what exists; "rigger provision" runs the steps before the check again.'
    way = 'Put that right and type "rigger provision": it goes on with this step. "rigger check" shows what exists.'
    left_out = any(done.module == step.module and done.verb == "install" for done in plan.up_to_date)
    return (
        f'{way} If what install put in place is gone, type "rigger provision --again".' if left_out else way
    )


def after_interrupt(plan: Plan) -> str:
    """Return what to type after a run was interrupted."""
    finished = ": finished steps are not repeated" if plan.command == "provision" else ""
    return f'Type "{again(plan)}" to go on{finished}.'


def again(plan: Plan) -> str:
    """Return the command that a plan belongs to, as it is typed."""
    if plan.command == "restore":
        return f"rigger restore {shlex.quote(plan.environ['RIGGER_BACKUP_FILE'])}"
    return "rigger provision --plan" if plan.command == "plan" else f"rigger {plan.command}"
