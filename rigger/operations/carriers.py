"""What carries out the deployments to an environment of a project."""

from __future__ import annotations

from rigger.errors import InvalidConfig
from rigger.operations.rigger_carrier import RiggerCarrier
from rigger.operations.stack_carrier import StackCarrier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.call import Call
    from rigger.operations.consent import Consent
    from rigger.operations.projects import Opened
    from rigger.releases.carrier import Carrier
    from rigger.releases.project import Place
    from rigger.runs.reporter import Reporter


def carrier_of(at: Opened, place: Place, call: Call, reporter: Reporter, consent: Consent) -> Carrier:
    """Return what carries out the deployments to an environment; raises InvalidConfig where the manifest names nothing.

    `call` is what of it is passed on: who asks for it and why.
    """
    if place.carrier == "rigger":
        return RiggerCarrier(at.home, place.target, call, reporter, consent)
    if place.carrier == "stack":
        return StackCarrier(at.home, at.project, place, reporter, consent)
    raise InvalidConfig(
        f"{at.project.file}, line {place.line}: it does not say what deploys to {place.id}.",
        "Add one to it: rigger: {environment: NAME}, or stack: FOLDER.",
    )
