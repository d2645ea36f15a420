"""Does a statement hold: is it signed, and is it what the audit log says, here or in a bundle?"""

from __future__ import annotations

from rigger.attestations import envelope
from rigger.audit.events import parse
from rigger.audit.head import Head
from rigger.bundles import seal, unpack
from rigger.errors import BadUsage, DifferencesFound, Refused
from rigger.operations.attest import read
from rigger.operations.provenance import FOLDER, PREDICATE, head_of, provenance, run_of
from rigger.trust.digests import digest
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from rigger.attestations.statement import Statement
    from rigger.audit.events import Record
    from rigger.bundles.opened import OpenedBundle
    from rigger.environments.environment import Environment
    from rigger.environments.home import Home

AGAIN = "Get both again from whoever made them, and ask them."


@frozen
class Proved:
    """A statement that was checked: who signed it, and what it fits."""

    file: str
    type: str  # of what it says, a URI
    signers: tuple[str, ...]  # fingerprints
    others: int  # signatures that were not looked at
    fits: (
        str  # the bundle or the environment whose audit log says the same; empty where it is not about a run
    )
    run: str
    differs: tuple[str, ...] = ()  # in a sentence each: what in the bundle is not what that run had

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "signers": list(self.signers), "differs": list(self.differs)}


def verify(
    home: Home, path: str, keys: tuple[str, ...], bundle: str = "", environment: Environment | None = None
) -> Proved:
    """Check a statement: each of the public keys signed it, and it is what the log of a bundle, or of an environment, says.

    Raises Refused where it is not, DifferencesFound, with the result, where only the bundle's scripts are others.
    """
    data = read(path)
    if unpack.is_bundle(path):
        raise BadUsage(f"{path} is a bundle.", f'Check it: "rigger bundle verify {path}".')
    said, signatures = envelope.statement_in(data, path)
    signers: tuple[str, ...] = ()
    if signatures or keys:
        if not signatures:
            raise Refused(f"{path} is not signed.", "Get it signed: rigger attest RUN --sign KEY.")
        verified = envelope.verify(data, keys, path)
        said, signers = verified.statement, tuple(one.fingerprint for one in verified.signers)
    others = signatures - len(signers)
    if head_of(said) is None:
        if bundle or said["predicateType"] == PREDICATE:
            raise Refused(f"{path} is not about a run of rigger's: there is nothing to compare.", AGAIN)
        return Proved(path, said["predicateType"], signers, others, "", "")
    if not bundle:
        if environment is None:
            raise BadUsage(f"There is nothing to compare {path} with.", "Name a bundle: --bundle BUNDLE.")
        run = require_fitting(said, environment.audit.records(), path, environment.name)
        return Proved(path, said["predicateType"], signers, others, environment.name, run)
    with unpack.looked_into(bundle, home, check_signature=seal.checker()) as opened:
        records = opened.log().records()
        run = require_fitting(said, records, path, bundle)
        differs = tuple(_other_modules(said, records, opened))
    result = Proved(path, said["predicateType"], signers, others, bundle, run, differs)
    if differs:
        raise DifferencesFound(f"{bundle} is not what was proved: {differs[0]}.", AGAIN).with_result(result)
    return result


def require_fitting(said: Statement, records: Sequence[Record], path: str, where: str) -> str:
    """Return the run that a statement is about; raises Refused where it is not, word for word, what the log says of it."""
    head, run = head_of(said), run_of(said)
    known = records[head.count - 1] if head and 0 < head.count <= len(records) else None
    if head is None or known is None or known["hash"] != head.hash:
        count = head.count if head else 0
        raise Refused(f"{path} is about record {count} of another log than that of {where}.", AGAIN)
    if known["run"] != run:
        raise Refused(
            f"{path} is about {run!r}, which did not end with record {head.count} of {where}.", AGAIN
        )
    wrong = next(_differing(said, provenance(records[: head.count], run)), "")
    if wrong:
        raise Refused(f"{path} does not say what the log of {where} says: {wrong} differs.", AGAIN)
    return run


def _differing(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Yield where two values of JSON differ; values are not said, which may be anything."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other}):
            if name not in one or name not in other:
                yield f"{path}.{name}".lstrip(".")
            else:
                yield from _differing(one[name], other[name], f"{path}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _differing(a, b, f"{path}[{number}]")
    elif type(one) is not type(other) or one != other:
        yield path.lstrip(".")


def _other_modules(said: Statement, records: Sequence[Record], bundle: OpenedBundle) -> Iterator[str]:
    """Yield in a sentence each the modules that a bundle has others of than the run, and no later run had either."""
    known: dict[str, set[str]] = {}
    for one in said["predicate"]["buildDefinition"]["resolvedDependencies"]:
        if FOLDER in one["digest"]:
            known.setdefault(one["name"].partition("/")[0], set()).add(one["digest"][FOLDER])
    for event in map(parse, records[(head_of(said) or Head()).count :]):
        for role in ("provider", "platform"):
            if sha256 := getattr(event, f"{role}_is", {}).get("sha256"):
                known.setdefault(role, set()).add(sha256)
    for role in ("provider", "platform"):
        scripts = bundle.scripts(role)
        if role in known and scripts and digest(scripts) not in known[role]:
            yield f"the {role} {bundle.module_name(role)} in it is another than the run had"
