"""Has this machine what the next provision needs?"""

from __future__ import annotations

from rigger.configuration.resolve import look_up_references, resolve
from rigger.environments import checkout
from rigger.environments.environment import CHECKOUT
from rigger.environments.state import state_of
from rigger.errors import BadUsage, NotReady
from rigger.git.place import around
from rigger.plans import provision
from rigger.runs import preflight
from rigger.runs.finding import Finding
from rigger.runs.module_preflight import of_modules
from rigger.sources.checkout import check_checkout, missing_clone
from rigger.sources.whole import left_out, require_whole
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.environments.environment import Environment
    from rigger.environments.home import Home


@frozen
class Diagnosis:
    """What was looked at, and whether that was for an environment or only for this machine."""

    findings: tuple[Finding, ...]
    environment: str = ""

    @property
    def failures(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.good]

    def as_dict(self) -> dict[str, Any]:
        return {"findings": [vars(finding) for finding in self.findings]}


def doctor(home: Home, environment: Environment | None = None) -> Diagnosis:
    """Look at all that the next provision of an environment needs, or any command where there is none.

    Raises NotReady, with the result, where something is missing; changes nothing. What nobody tried is named.
    """
    config = plan = None
    again = _to_clone_again(environment) if environment else []
    if environment is not None and not again:
        look_up_references(environment)
        config = resolve(environment)
        plan = provision.provision(
            config, state_of(environment).steps, environment.nodes(), environment.key()
        )
    findings = [*preflight.examine(environment, config, plan, home.path), *again]
    if environment is not None and config is not None:
        if config.platform.checkout:
            findings.append(_repository(environment, config.platform.checkout, config.values))
        findings += of_modules(environment, config, plan)
    result = Diagnosis(tuple(findings), environment.name if environment else "")
    if result.failures:
        names = ", ".join(dict.fromkeys(finding.what for finding in result.failures))
        raise NotReady(f"Not ready: {names}.", "The remedies are above.").with_result(result)
    return result


def _to_clone_again(environment: Environment) -> list[Finding]:
    """Look at where a clone that is missing comes from: provision fetches it, and the rest can be tried only then."""
    try:
        missing = missing_clone(environment)
    except (NotReady, BadUsage) as problem:
        lost = f"{environment.file(CHECKOUT)} is missing and cannot be cloned again. {problem.message}"
        return [Finding("repository", False, lost, problem.next_step)]
    if missing is None:
        return []
    again = f"{missing.folder} is missing; provision clones it again from {missing.url}"
    rest = "not tried: tools, scripts and credentials; they are known once the repository is there"
    return [Finding("repository", True, again), Finding("modules", True, rest, tried=False)]


def _repository(environment: Environment, folder: str, values: Mapping[str, str]) -> Finding:
    """Look at the platform's repository as provision does before it starts anything."""
    try:
        check_checkout(environment, values)
        require_whole(environment, values)
    except NotReady as problem:
        return Finding("repository", False, problem.message, problem.next_step)
    top = around(folder)
    lacks = left_out(top, checkout.is_cloned(environment, values)) if top else ""
    return Finding("repository", True, f"{folder}. {lacks}" if lacks else folder)
