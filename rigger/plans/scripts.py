"""Can every script of a plan run?"""

from __future__ import annotations

from rigger.errors import NotReady
from rigger.later import later
from rigger.modules.shared import shared_digest
from rigger.sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.modules.model import Module
    from rigger.plans.model import Plan
    from rigger.terraform import beside as terraform_beside
else:
    terraform_beside = later("rigger.terraform.beside")


def check_scripts(plan: Plan) -> list[str]:
    """Return a sentence about each script of a plan that cannot run."""
    problems = []
    for step in plan.steps:
        if step.module.script(step.verb) is None:
            problems.append(f"{step.shown} is missing: {step.module.name} needs a script {step.verb}")
        elif reason := step.module.script_problem(step.script):
            problems.append(f"{step.script} {reason}")
    return list(dict.fromkeys(problems))


def digest_of_shared(module: Module) -> str:
    """Return a SHA-256 over what the scripts of a module share, also what Terraform takes from beside its folder."""
    own, beside = (
        shared_digest(module),
        terraform_beside.digest_beside(module.folder) if module.has_terraform else "",
    )
    beside += repr(module.container) if module.container else ""
    return sha256(f"{own} {beside}".encode()).hexdigest() if beside else own


def require_scripts(plan: Plan) -> None:
    """Raise NotReady, naming every script of a plan that cannot run; nothing has been started then."""
    problems = check_scripts(plan)
    if problems:
        raise NotReady(
            "; ".join(problems) + ".",
            "Nothing was started. Put that right (chmod +x, a #! line) and try again.",
        )
