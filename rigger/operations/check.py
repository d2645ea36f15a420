"""Look at a cluster without changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rigger.errors import StepFailed
from rigger.operations.consent import Consent
from rigger.operations.session import session
from rigger.plans import lifecycle
from rigger.plans.scripts import require_scripts
from rigger.runs.reporter import Reporter, Silent
from rigger.runs.result import failures, what_they_printed
from rigger.text import ways

if TYPE_CHECKING:
    from rigger.environments.environment import Environment
    from rigger.operations.result import RunResult


def check(environment: Environment, reporter: Reporter | None = None) -> RunResult:
    """Run the check scripts of all modules; raises StepFailed, with the result, where one finds something wrong,
    InvalidConfig where there is no cluster yet.

    Raises RecordBehind where another record went on: what differs then is no reason to take anything back.
    """
    with session(environment, "rigger check", reporter or Silent(), Consent()) as work:
        work.require_cluster("check", deployed=False)
        plan = lifecycle.check(work.config)
        require_scripts(plan)
        stranger = work.look(plan)
        result = work.run(plan)
    if stranger:
        raise stranger.with_result(result)
    if bad := failures(result.steps):
        problem = StepFailed(
            " ".join(step.describe() for step in bad),
            ways(
                *what_they_printed(bad), ("To run what the failed check looks at again", "rigger provision")
            ),
        )
        raise problem.with_result(result)
    return result
