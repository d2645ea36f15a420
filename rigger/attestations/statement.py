"""What is claimed of some things, each named by its digest: an in-toto statement.

The form is in-toto's, version 1: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import json
import re

from rigger.errors import Refused
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn

    Statement = Mapping[str, Any]  # as JSON has it

TYPE = "https://in-toto.io/Statement/v1"
MEMBERS = frozenset({"_type", "subject", "predicateType", "predicate"})
LARGEST = 16 << 20  # bytes of a statement, or of an envelope
AGAIN = "Get it again from whoever made it."


@frozen
class Resource:
    """A thing, by its digests: {"sha256": 64 hex digits}, {"gitCommit": 40}; `annotations` is what else is said of it."""

    name: str
    digest: Mapping[str, str]
    uri: str = ""
    annotations: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as a statement has it: a ResourceDescriptor."""
        rest = {"uri": self.uri, "annotations": dict(self.annotations)}
        found = {key: value for key, value in rest.items() if value}
        return {"name": self.name, **found, "digest": dict(self.digest)}


def statement(subjects: Sequence[Resource], predicate_type: str, predicate: Mapping[str, Any]) -> Statement:
    """Return the statement that `predicate`, of the type that a URI names, holds of the subjects.

    Raises ValueError where there is no subject, or one without a digest: nothing could be found by it.
    """
    if not subjects or not all(one.digest for one in subjects):
        raise ValueError("a statement needs subjects, and each of them a digest")
    return {
        "_type": TYPE,
        "subject": [one.as_dict() for one in subjects],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }


def content(said: Statement) -> bytes:
    """Return a statement as bytes, always the same ones for the same statement."""
    return json.dumps(said, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode("ascii")


def read(data: bytes, where: str) -> Statement:
    """Return the statement that these bytes are; raises Refused, naming `where` they come from, for what is none."""
    said = parse(data, where)
    subjects = said.get("subject")
    problem = (
        "it has other members than a statement"
        if said.keys() != MEMBERS
        else f"it is no statement of in-toto, version 1, but {said['_type']!r}"
        if said["_type"] != TYPE
        else "it says nothing"
        if not isinstance(said["predicate"], dict) or not said["predicate"]
        else "it does not say what it says"
        if not isinstance(said["predicateType"], str) or not said["predicateType"]
        else "it is about nothing that has a digest"
        if not isinstance(subjects, list) or not subjects or not all(map(_has_digest, subjects))
        else ""
    )
    if problem:
        raise Refused(f"{where} is no statement: {problem}.", AGAIN)
    return said


def _has_digest(subject: Any) -> bool:
    digest = subject.get("digest") if isinstance(subject, dict) else None
    return isinstance(digest, dict) and bool(digest) and all(map(_is_hex, digest.values()))


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{8,128}", value) is not None


def parse(data: bytes, where: str) -> dict[str, Any]:
    """Return the JSON object that these bytes are, no member of which may stand twice; raises Refused."""
    if len(data) > LARGEST:
        raise Refused(f"{where} is larger than {LARGEST >> 20} MiB.", AGAIN)
    try:
        said = json.loads(data, object_pairs_hook=_without_doubles, parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        raise Refused(f"{where} is no JSON: {problem}.", AGAIN) from None
    if not isinstance(said, dict):
        raise Refused(f"{where} is no JSON object.", AGAIN)
    return said


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of an object: of two with one name, programs take one or the other."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
