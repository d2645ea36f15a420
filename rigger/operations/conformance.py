"""Does a module keep to the contract?"""

from __future__ import annotations

import os

from rigger.conformance import lives, rules, subject
from rigger.conformance.finding import ADVICE, FAIL, PASS, Finding
from rigger.errors import BadUsage, DoesNotConform
from rigger.modules.verbs import a_role
from rigger.runs.reporter import Reporter, Silent
from rigger.trust.digests import digest
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rigger.conformance.sandbox import RehearsalOptions
    from rigger.modules.model import Module


@frozen
class Checked:
    """What was found in a module, whether its scripts ran, and the folder of their logs, if it is kept."""

    module: Module
    ran: bool
    findings: tuple[Finding, ...]
    logs: str = ""

    def count(self, level: str) -> int:
        """Return how many findings are PASS, FAIL or ADVICE."""
        return sum(finding.level == level for finding in self.findings)

    @property
    def digest(self) -> str:
        """The digest of its files, as an index of a repository has it."""
        return f"sha256:{digest(self.module.folder)}"

    @property
    def counts(self) -> str:
        passed, failed, advice = (self.count(level) for level in (PASS, FAIL, ADVICE))
        return f"{passed} passed, {failed} failed, {advice} advice"

    def as_dict(self) -> dict[str, Any]:
        return {
            "module": self.module.name,
            "role": self.module.role,
            "interface": self.module.interface,
            "folder": self.module.folder,
            "digest": self.digest,
            "ran": self.ran,
            "good": not self.count(FAIL),
            "logs": self.logs or None,
            "findings": [finding.as_dict() for finding in self.findings],
        }


def check(
    path: str,
    options: RehearsalOptions | None = None,
    reporter: Reporter | None = None,
    found: Callable[[Finding], None] = lambda finding: None,
) -> Checked:
    """Read the module in a folder and, with `options`, run its scripts through a whole life in a sandbox.

    `found` hears each finding at once. Raises DoesNotConform, with the result, where the module breaks the contract.
    """
    reporter = reporter or Silent()
    module = subject.load(subject.locate(path))
    findings = rules.examine(module)
    reporter.heading(f"{module.name}: {a_role(module.role)} of interface {module.interface}")
    for finding in findings:
        found(finding)
    logs = _rehearse(module, options, findings, reporter, found) if options else ""
    result = Checked(module, options is not None, tuple(findings), logs)
    if logs:
        reporter.line(f"The logs are in {os.path.join(logs, 'home', '.rigger', 'environments')}")
    if result.count(FAIL):
        problem = DoesNotConform(
            f"{module.name} does not conform: {result.counts}.", "Correct what is marked FAIL."
        )
        raise problem.with_result(result)
    return result


def _rehearse(
    module: Module,
    options: RehearsalOptions,
    findings: list[Finding],
    reporter: Reporter,
    found: Callable[[Finding], None],
) -> str:
    """Run the scripts unless reading has shown that they cannot; return the folder of the logs if it is kept."""
    if any(finding.level == FAIL for finding in findings):
        reporter.warn("Not run: correct the problems above first.")
        return ""
    if options.provider and module.role == "provider":
        raise BadUsage("--provider is for platforms.", f"{module.name} is a provider itself.")

    def say(finding: Finding) -> None:
        findings.append(finding)
        found(finding)

    return lives.rehearse(module, options, say)
