"""What rigger's own scripts do for modules that have none: done by a copy of rigger, where a script would start it anew."""

from __future__ import annotations

import os

from rigger.later import later
from rigger.modules.kinds import ANSIBLE, CONTAINER, STEPS, TERRAFORM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rigger.containers import steps as container_steps
    from rigger.playbooks import steps as playbook_steps
    from rigger.terraform import steps as terraform_steps
else:
    container_steps = later("rigger.containers.steps")
    playbook_steps = later("rigger.playbooks.steps")
    terraform_steps = later("rigger.terraform.steps")

_BY_FOLDER = {
    STEPS[TERRAFORM]: terraform_steps,
    STEPS[CONTAINER]: container_steps,
    STEPS[ANSIBLE]: playbook_steps,
}


def inside(script: str) -> Callable[[], int] | None:
    """Return what does the work of one of rigger's own scripts; None for any other, which is started."""
    folder, verb = os.path.split(script)
    steps = _BY_FOLDER.get(folder)
    return (lambda: steps.main([verb])) if steps else None
