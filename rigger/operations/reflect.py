"""Take what was changed by hand into the configuration."""

from __future__ import annotations

from rigger.configuration.resolve import resolve
from rigger.errors import DifferencesFound
from rigger.operations.audit import Audited, audit
from rigger.operations.consent import Consent
from rigger.operations.found import shown
from rigger.operations.values import set_values
from rigger.runs.reporter import Reporter, Silent
from rigger.text import ways
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.environments.environment import Environment


@frozen
class Reflected:
    """The names of the values that describe now what was changed by hand."""

    environment: str
    changed: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"environment": self.environment, "changed": list(self.changed)}


def reflect(
    environment: Environment,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
    module: str = "",
) -> Reflected:
    """Audit, show what the configuration would say of what was changed by hand, and take that over once somebody agrees.

    Raises DifferencesFound where there are changes that no value describes: nothing is taken over then.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    try:
        audit(environment, reporter, module=module)
    except DifferencesFound as problem:
        if not (isinstance(problem.result, Audited) and problem.result.changed):
            raise
        found = problem.result.found
    else:
        return Reflected(environment.name, ())
    if found.beyond:
        listed = "\n".join(f"  {one}" for one in found.beyond)
        raise DifferencesFound(
            f"Not all that was changed by hand can be taken into the configuration; nothing of it was:\n{listed}",
            ways(("Take that back by hand, then", "rigger audit --reflect")),
        )
    config = resolve(environment)
    reporter.line("What was changed by hand, as the configuration would say it:")
    reporter.table(list(shown(config, found)))
    consent.agree("Take that into the configuration?")
    return Reflected(environment.name, set_values(environment, found.values).changed)
