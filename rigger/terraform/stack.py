"""A Terraform stack that is somebody's own: it works where it lies, with the backend that its files name."""

from __future__ import annotations

import os

from rigger.modules.model import Module
from rigger.terraform.lost import JOURNAL
from rigger.terraform.runner import MINIMUM, Terraform, find_program
from rigger.terraform.workspace import Workspace
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rigger.process.interrupts import Interrupts

VARIABLE = "TF_VAR_"


@frozen
class Stack(Workspace):
    """The folder of such a stack, and what passes, which lies elsewhere."""

    @property
    def backend(self) -> str:
        """Whatever its files say: its state is none of rigger's, and nothing of it is kept here."""
        return "own"

    def file(self, *parts: str) -> str:
        return self.passing(JOURNAL) if parts == (JOURNAL,) else os.path.join(self.folder, *parts)


def apply_stack(
    folder: str,
    data: str,
    values: Mapping[str, str],
    agree: Callable[[], None],
    say: Callable[[str], None],
    stop: Interrupts,
) -> bool:
    """Init, plan, show the plan and, once it is agreed to, apply that very plan; return whether something changed.

    A variable that the stack declares gets the value of its name in capitals: `image_api` that of IMAGE_API. `data` is the
    folder of plugins, `stop` what counts requests to stop: an apply that came to its end in spite of one has changed all.
    Raises NotReady, StepFailed, Interrupted, and whatever `agree` raises.
    """
    given = {
        name[len(VARIABLE) :].upper(): value
        for name, value in os.environ.items()
        if name.startswith(VARIABLE)
    }
    known = {**given, **values}
    module = Module(os.path.basename(folder), "provider", folder, outputs=tuple(known))
    stack = Stack(module, folder, data, {**os.environ, **known})
    os.makedirs(data, mode=0o700, exist_ok=True)
    terraform = Terraform(stack, find_program(MINIMUM, cache=os.path.dirname(data)), say, stop)
    terraform.init()
    plan = stack.passing("plan")
    try:
        if not terraform.plan(out=plan):
            say("Terraform has nothing to change.")
            return False
        agree()
        terraform.apply(plan)
        return True
    finally:
        if os.path.exists(plan):  # it has the values of secrets
            os.unlink(plan)
