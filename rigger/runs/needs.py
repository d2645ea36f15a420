"""Is what an add-on reads of others' output there?"""

from __future__ import annotations

from rigger.configuration.module_state import missing_needs, module_state
from rigger.errors import NotReady
from rigger.text import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.plans.model import Step


def require_needs(environment: Environment, config: Config, step: Step) -> None:
    """Raise NotReady before an apply that would read fields which no module's output has."""
    module = step.module
    if step.verb != "apply" or not module.needs:
        return
    if missing := missing_needs(module_state(environment, config), module.name, module.needs):
        raise NotReady(
            f"{module.name} needs {listed(missing)}, which no module's output has; its apply was not started.",
            'Which module has what: "rigger module list -o json".',
        )
