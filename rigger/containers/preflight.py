"""What the images of a plan need on this machine, looked at before anything is done."""

from __future__ import annotations

from rigger.errors import NotReady, StepFailed
from rigger.later import later
from rigger.modules.kinds import STEPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rigger.containers import engine
    from rigger.modules.model import Module
else:
    engine = later("rigger.containers.engine")


def problem_of(module: Module) -> NotReady | None:
    """Return why the image of a module cannot be run here, None where it can, or where the module is no image."""
    if module.container is None:
        return None
    try:
        engine.find(module.name).image(module.container, module.name)
    except NotReady as problem:
        return problem
    except StepFailed as problem:
        return NotReady(problem.message, problem.next_step)
    return None


def brings_its_own(module: Module, verbs: Iterable[str]) -> bool:
    """Return whether a script of the module's own, install, may bring the image before it is run."""
    script = module.script("install")
    return "install" in verbs and script is not None and not script.startswith(STEPS["container"])
