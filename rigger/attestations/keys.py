"""The keys that sign statements and check them: OpenSSH's or PEM, Ed25519 first of all.

securesystemslib signs and checks, as in-toto itself does; with the rest of what `rigger[attest]` brings it is imported where
it is used alone.
"""

from __future__ import annotations

import base64
import hashlib

from rigger.errors import BadUsage, NotReady
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from securesystemslib.signer import CryptoSigner, SSlibKey

PEM = b"-----BEGIN PUBLIC KEY-----"
OPENSSH_PRIVATE = b"-----BEGIN OPENSSH PRIVATE KEY-----"
GIVE = "Give a private key without a passphrase, in OpenSSH's form or in PEM."
LARGEST = 64 << 10  # bytes of a file of keys


@frozen
class PublicKey:
    """A public key; `fingerprint` is as `ssh-keygen -l` shows it, `file` where it was read."""

    fingerprint: str
    file: str
    key: SSlibKey


def signer(path: str) -> CryptoSigner:
    """Return what signs with the private key in a file; raises BadUsage for none, NotReady for one that cannot be used."""
    signing, serialization = libraries()
    data, known = _read(path), _errors()
    load = (
        serialization.load_ssh_private_key if OPENSSH_PRIVATE in data else serialization.load_pem_private_key
    )
    try:
        made: CryptoSigner = signing.CryptoSigner(load(data, None))
    except known as problem:
        if b"PRIVATE KEY-----" not in data:
            raise BadUsage(f"{path} is no private key.", GIVE) from None
        said = "it has a passphrase" if _is_locked(problem) else str(problem).rstrip(".")
        raise NotReady(f"{path} cannot sign a statement: {said}.", GIVE) from None
    return made


def public_keys(path: str) -> list[PublicKey]:
    """Return the public keys in a file, in PEM or one of OpenSSH's a line; raises BadUsage for a file that has none."""
    signing, serialization = libraries()
    data, known = _read(path), _errors()
    found = []
    try:
        if PEM in data:
            loaded = [serialization.load_pem_public_key(data)]
        else:
            lines = [line.strip() for line in data.splitlines()]
            lines = [line for line in lines if line and not line.startswith(b"#")]
            loaded = [serialization.load_ssh_public_key(line) for line in lines]
        for one in loaded:
            found.append(PublicKey(_fingerprint(one, serialization), path, signing.SSlibKey.from_crypto(one)))
    except known:
        found = []
    if not found:
        raise BadUsage(f"{path} is no public key.", "Give the file that ends in .pub, or one in PEM.")
    return found


def fingerprint_of(made: CryptoSigner) -> str:
    """Return the fingerprint of the public half of a key that signs."""
    _, serialization = libraries()
    return _fingerprint(made._private_key.public_key(), serialization)


def _fingerprint(public: Any, serialization: Any) -> str:
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    blob = base64.b64decode(public.public_bytes(encoding, form).split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def libraries() -> tuple[Any, Any]:
    """Return the modules that sign and that read keys; raises NotReady where they, an extra, are not installed."""
    try:
        from cryptography.hazmat.primitives import serialization
        from securesystemslib import signer as signing
    except ImportError:
        raise NotReady(
            "Signed statements take the Python package securesystemslib, and that is not installed.",
            "Type \"pip install 'rigger[attest]'\".",
        ) from None
    return signing, serialization


def _errors() -> tuple[type[Exception], ...]:
    """Return what those raise for a key that they cannot use."""
    from cryptography.exceptions import UnsupportedAlgorithm

    return ValueError, TypeError, UnsupportedAlgorithm


def _is_locked(problem: Exception) -> bool:
    """Return whether a private key was not read for want of its passphrase: that alone is a TypeError."""
    return isinstance(problem, TypeError)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST)
    except OSError as problem:
        raise BadUsage(
            f"Cannot read the key {path}: {problem.strerror}.", "Check its name, and who may read it."
        ) from None
