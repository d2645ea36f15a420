"""Install the platform's clients on this machine."""

from __future__ import annotations

from rigger.operations.consent import Consent
from rigger.operations.session import session
from rigger.plans import lifecycle
from rigger.runs.reporter import Reporter, Silent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.environment import Environment
    from rigger.operations.result import RunResult


def setup_clients(environment: Environment, reporter: Reporter | None = None) -> RunResult:
    """Install the clients into the environment's own folder; raises BadUsage where the platform has none."""
    with session(environment, "rigger setup-clients", reporter or Silent(), Consent()) as work:
        plan = lifecycle.setup_clients(work.config)
        work.require_ready(plan)
        return work.run(plan)
