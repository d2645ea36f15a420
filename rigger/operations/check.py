"""Look at a cluster without changing it."""

from __future__ import annotations

import time

from rigger.errors import StepFailed
from rigger.operations.consent import Consent
from rigger.operations.session import session
from rigger.plans import lifecycle
from rigger.plans.scripts import require_scripts
from rigger.runs.reporter import Reporter, Silent
from rigger.runs.result import failures, what_they_printed
from rigger.text import ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.environment import Environment
    from rigger.operations.result import RunResult


PAUSE = 2.0  # seconds between two checks


def check_until_well(
    environment: Environment, wait: float, count: int = 1, reporter: Reporter | None = None
) -> RunResult:
    """Check again and again until `count` checks in a row are good, for `wait` seconds at most.

    Raises what `check` raises: StepFailed where the time is over, and anything else at once.
    """
    end, good = time.monotonic() + wait, 0
    while True:
        try:
            result = check(environment, reporter)
            good += 1
        except StepFailed:
            good = 0
            if time.monotonic() + PAUSE >= end:
                raise
        if good >= count:
            return result
        time.sleep(PAUSE)


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
