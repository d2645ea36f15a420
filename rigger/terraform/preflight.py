"""What Terraform's steps will need that is not on this machine, looked at before anything is made."""

from __future__ import annotations

from rigger.errors import NotReady
from rigger.terraform.runner import MINIMUM, call, program_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rigger.terraform.workspace import Workspace


def preflight(workspace: Workspace, say: Callable[[str], None]) -> int:
    """Look for a Terraform or OpenTofu that will do, or whether one can be downloaded; return the exit code."""
    name = workspace.module.name
    needs = f"the network, quotas and rights that {name}'s .tf files need"
    say(_finding("untried", f"preflight of {name}", needs))
    try:
        program = program_of(workspace)
    except NotReady:
        minimum = workspace.module.terraform.minimum or MINIMUM
        return call(["rigger-install-terraform", "--try", minimum], workspace.module.folder, workspace.values)
    say(_finding("ok", "terraform", f"{program.name} {program.version}: {program.path}"))
    return 0


def _finding(*words: str) -> str:
    """Return the line that rigger-finding prints."""
    return "\t".join(["finding", *(" ".join(word.split()) for word in words)])
