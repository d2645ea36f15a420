"""A verdict as an in-toto statement in a DSSE envelope, signed with somebody's key.

What is claimed is in-toto's test result: https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
"""

from __future__ import annotations

from rigger.attestations import envelope
from rigger.attestations.statement import Resource, statement
from rigger.rehearsals.model import GO, INCONCLUSIVE, NO_GO
from rigger.rehearsals.verdict import FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.rehearsals.verdict import Verdict

PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
SIGNED = "verdict.intoto.json"
RESULTS = {GO: "PASSED", INCONCLUSIVE: "WARNED", NO_GO: "FAILED"}


def signed(verdict: Verdict, sha256: str, key: str) -> bytes:
    """Return the file that says of a verdict's file, by its SHA-256, what it found; `key` is the file of a private key.

    Raises BadUsage for what is no such key, NotReady where what signs is not installed.
    """
    subject = Resource(FILE, {"sha256": sha256})
    return envelope.sign(statement([subject], PREDICATE, _predicate(verdict)), key)


def _predicate(verdict: Verdict) -> dict[str, object]:
    tests = {
        name: [one.name for one in verdict.rehearsals if one.verdict == kind]
        for kind, name in ((GO, "passedTests"), (INCONCLUSIVE, "warnedTests"), (NO_GO, "failedTests"))
    }
    return {
        "result": RESULTS[verdict.verdict],
        "configuration": [one.as_dict() for one in _made_of(verdict)],
        **{name: names for name, names in tests.items() if names},
    }


def _made_of(verdict: Verdict) -> Iterator[Resource]:
    """Yield what was rehearsed: the plan of the upgrade, the scripts, the commit, the data."""
    subject = verdict.subject
    jump = {"from": subject.start, "to": subject.to, "style": subject.style}
    yield Resource("plan", {"sha256": subject.plan}, annotations={**jump, "environment": subject.environment})
    for name, sha256 in subject.scripts.items():
        yield Resource(name, {"sha256": sha256})
    if subject.commit:
        yield Resource("repository", {"gitCommit": subject.commit})
    if subject.data:
        yield Resource("data", {"sha256": subject.data["sha256"]}, annotations={"time": subject.data["time"]})
