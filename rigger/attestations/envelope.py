"""A statement and its signatures in one file: a DSSE envelope.

The form is https://github.com/secure-systems-lab/dsse/blob/master/envelope.md, one JSON object in one line. What is signed is
the type and the bytes of the statement, not the JSON around them, which is read strictly for that reason: nothing may stand
there that no signature covers.
"""

from __future__ import annotations

import base64
import json

from rigger.attestations import keys as signing_keys
from rigger.attestations import statement as statements
from rigger.attestations.statement import AGAIN
from rigger.errors import BadUsage, Refused
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from securesystemslib.dsse import Envelope

    from rigger.attestations.keys import PublicKey
    from rigger.attestations.statement import Statement

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MEMBERS = frozenset({"payload", "payloadType", "signatures"})
SIGNATURE = frozenset({"keyid", "sig"})


@frozen
class Verified:
    """A statement that was signed: by whom of those whose keys were given, and how many signatures others made."""

    statement: Statement
    signers: tuple[PublicKey, ...]
    others: int = 0


def sign(statement: Statement, key: str) -> bytes:
    """Return the file of a statement, signed with the private key in the file `key`; raises BadUsage or NotReady.

    The key is OpenSSH's or PEM, and has no passphrase; Ed25519, ECDSA (P-256, P-384, P-521) and RSA are known.
    """
    return sign_bytes(statements.content(statement), key)


def sign_bytes(payload: bytes, key: str) -> bytes:
    """Return the file of a statement that is there as bytes already; raises as `sign` does."""
    made = signing_keys.signer(key)  # which says so where what signs is not installed
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(made)
    return _content(envelope)


def sign_too(data: bytes, key: str, where: str) -> bytes:
    """Return the file of a signed statement with one more signature of the same bytes; `where` names it in errors.

    Raises Refused for what is no such file, BadUsage where that key has signed already.
    """
    made, envelope = signing_keys.signer(key), _read(data, where)
    if made.public_key.keyid in envelope.signatures:
        raise BadUsage(f"{key} has signed {where} already.", "A second signature is another person's.")
    envelope.sign(made)
    return _content(envelope)


def verify(data: bytes, keys: Sequence[str], where: str) -> Verified:
    """Return the statement in a file that every one of these public key files signed; `where` names it in errors.

    A file may have several keys, one of which must have signed. Raises Refused where a signature is missing or wrong, or
    for what is no signed statement; BadUsage where there is no key, or one that cannot be read.
    """
    if not keys:
        raise BadUsage(f"No key was given to check {where} with.", "Give the public key of who signed it.")
    known = [signing_keys.public_keys(path) for path in keys]
    envelope = _read(data, where)
    signers = [_signer(envelope, path, ours, where) for path, ours in zip(keys, known, strict=True)]
    if len({one.key.keyid for one in signers}) < len(signers):
        raise BadUsage("The same key was given twice.", "Give the key of each who must have signed once.")
    said = statements.read(envelope.payload, where)
    return Verified(said, tuple(signers), len(envelope.signatures) - len(signers))


def statement_in(data: bytes, where: str) -> tuple[Statement, int]:
    """Return the statement in a file and how many signatures it has, none of which is checked; raises Refused for none.

    A bare statement has no signature.
    """
    if "payloadType" not in statements.parse(data, where):
        return statements.read(data, where), 0
    payload, signatures = _parts(data, where)
    return statements.read(payload, where), len(signatures)


def _signer(envelope: Envelope, path: str, ours: list[PublicKey], where: str) -> PublicKey:
    from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError

    for one in ours:
        signature = envelope.signatures.get(one.key.keyid)
        if signature is None:
            continue
        try:
            one.key.verify_signature(signature, envelope.pae())
        except (UnverifiedSignatureError, VerificationError):
            break
        return one
    else:
        raise Refused(
            f"{where} is not signed with the key in {path}.", "Get one that is, or the key of who signed it."
        )
    raise Refused(f"{where} is not what was signed with the key in {path}.", AGAIN)


def _read(data: bytes, where: str) -> Envelope:
    signing_keys.libraries()  # which says so where they are not installed
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import Signature

    payload, signatures = _parts(data, where)
    return Envelope(payload, PAYLOAD_TYPE, {id: Signature(id, sig.hex()) for id, sig in signatures.items()})


def _parts(data: bytes, where: str) -> tuple[bytes, dict[str, bytes]]:
    """Return what an envelope holds, and its signatures by the id of their key; raises Refused for what is none.

    Nothing may be in it that is not as the form has it.
    """
    said = statements.parse(data, where)
    signatures = said.get("signatures")
    problem = (
        "it has other members than an envelope"
        if said.keys() != MEMBERS
        else f"what it holds is {said['payloadType']!r}"
        if said["payloadType"] != PAYLOAD_TYPE
        else "what it holds is not in base64"
        if not _is_base64(said["payload"])
        else "it has no usable signatures"
        if not isinstance(signatures, list) or not signatures or not all(map(_is_signature, signatures))
        else "it has two signatures by one key"
        if len({one["keyid"] for one in signatures}) < len(signatures)
        else ""
    )
    if problem:
        raise Refused(f"{where} is no signed statement: {problem}.", AGAIN)
    payload = base64.b64decode(said["payload"])
    return payload, {one["keyid"]: base64.b64decode(one["sig"]) for one in said["signatures"]}


def _is_signature(value: Any) -> bool:
    whole = isinstance(value, dict) and value.keys() == SIGNATURE
    return whole and isinstance(value["keyid"], str) and _is_base64(value["sig"])


def _is_base64(value: Any) -> bool:
    """Return whether a text is base64, in the one way in which its bytes are written."""
    if not isinstance(value, str) or not value:
        return False
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return base64.b64encode(data).decode("ascii") == value


def _content(envelope: Envelope) -> bytes:
    return json.dumps(envelope.to_dict(), separators=(",", ":"), sort_keys=True).encode("ascii") + b"\n"
