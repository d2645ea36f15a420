"""Seals: encrypts with age (age-encryption.org/v1) and signs with SSH keys (OpenSSH's PROTOCOL.sshsig).

Signing and its check are ssh-keygen's, so keys may be Ed25519, ECDSA, RSA, or lie in an agent or a security
key; one in PEM that ssh-keygen does not read itself (PKCS #8) is read by cryptography.
No secret ever stands on a command line.
"""

from __future__ import annotations

import os
import re
import shutil

from rigger.bundles import passphrase as age_passphrase
from rigger.errors import BadUsage, NotReady, Refused
from rigger.files import temporary_folder
from rigger.process import capture
from rigger.ssh import keys as ssh_keys
from rigger.text import last_line, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rigger.process.capture import Captured

NAMESPACE = "rigger.bundle"
_SIGNER = "signer"  # the name by which a key given to `verify` goes; only rigger and ssh-keygen see it
_KEY = re.compile(r"((?:sk-)?(?:ssh-|ecdsa-sha2-)[a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?: .*)?")


# --- encryption --------------------------------------------------------------------------------------


def encrypt(data: bytes, *, passphrase: str | None = None, recipients: Iterable[str] = ()) -> bytes:
    """Encrypt for a passphrase, or for recipients: age1..., ssh-ed25519 ..., ssh-rsa ...; raises BadUsage."""
    import pyrage

    keys = [_recipient(text) for text in recipients]
    if (passphrase is None) == (not keys):
        raise BadUsage("Encryption takes either a passphrase or recipients.", "Give one of them.")
    if passphrase is None:
        encrypted: bytes = pyrage.encrypt(data, keys)
        return encrypted
    if not passphrase:
        raise BadUsage("The passphrase is empty.", "Choose a longer one.")
    return age_passphrase.encrypt(data, passphrase)


def decrypt(data: bytes, *, passphrase: str | None = None, identities: Iterable[str] = ()) -> bytes:
    """Decrypt with a passphrase or with key files (age's or OpenSSH's); raises BadUsage when none fits."""
    if not data.startswith(b"age-encryption.org/"):
        raise Refused("The secrets are not in age's format.", "Get the bundle again from whoever made it.")
    _require_fitting(data, passphrase)
    if passphrase is not None:
        return age_passphrase.decrypt(data, passphrase)
    import pyrage

    keys = [identity for path in identities for identity in _identities(path)]
    try:
        decrypted: bytes = pyrage.decrypt(data, keys)
        return decrypted
    except pyrage.DecryptError as error:
        raise BadUsage(
            f"None of the keys decrypts the secrets, or they are damaged (age says: {str(error).rstrip('.')}).",
            "Give the private key of one of those that they were encrypted for.",
        ) from error


def needs_passphrase(data: bytes) -> bool:
    """Whether this was encrypted for a passphrase, and not for keys."""
    return data.split(b"\n", 2)[1:2] != [] and data.split(b"\n", 2)[1].startswith(b"-> scrypt ")


def _require_fitting(data: bytes, passphrase: str | None) -> None:
    """Raise BadUsage where keys were given for what takes a passphrase, or the other way round."""
    if needs_passphrase(data) and passphrase is None:
        raise BadUsage(
            "The secrets are encrypted with a passphrase, and keys were given.", "Give the passphrase."
        )
    if not needs_passphrase(data) and passphrase is not None:
        raise BadUsage(
            "The secrets are encrypted for keys, and a passphrase was given.", "Give a private key."
        )


def _recipient(text: str) -> object:
    import pyrage

    kind = pyrage.x25519 if text.strip().startswith("age1") else pyrage.ssh
    try:
        return kind.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise BadUsage(
            f"{_short(text)} is no recipient: {error}.",
            "Give an age1... key, or an ssh-ed25519 or ssh-rsa public key.",
        ) from error


def _identities(path: str) -> list[object]:
    import pyrage

    data = _read(path)
    try:
        if b"PRIVATE KEY-----" in data:
            return [pyrage.ssh.Identity.from_buffer(data)]
        lines = [line.strip() for line in data.decode().splitlines()]
        return [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (pyrage.IdentityError, UnicodeDecodeError) as error:
        raise BadUsage(
            f"{path} is no key that decrypts: {error}.",
            "Give a file of AGE-SECRET-KEY-... lines, or an OpenSSH private key without a passphrase.",
        ) from error


# --- signatures --------------------------------------------------------------------------------------


def signer(key: str) -> Callable[[bytes], bytes]:
    """What signs with this key file: a private key, or a public one whose private half is in the agent."""
    return lambda data: sign(data, key)


def checker(verify_key: str | None = None) -> Callable[[bytes, bytes | None], str]:
    """What checks signatures: with a public key file there has to be one, by a key in that file."""

    def check(data: bytes, signature: bytes | None) -> str:
        if signature is None:
            if verify_key is None:
                return ""
            raise Refused(f"The bundle is not signed, and should be by {verify_key}.", "Get a signed one.")
        return verify(data, signature, verify_key)

    return check


def sign(data: bytes, key: str) -> bytes:
    """Sign with `ssh-keygen -Y sign`; raises NotReady when the key cannot be used.

    A private key in PKCS #8, as `openssl genpkey -algorithm ed25519` makes it, is put into OpenSSH's form for that.
    """
    if b"-----BEGIN PRIVATE KEY-----" in (pem := _read(key)):
        with temporary_folder("rigger-") as folder:
            return _sign(data, _write(folder, "key", _private_as_openssh(pem, key)))
    return _sign(data, key)


def _cryptography(key: str) -> tuple[Any, type[Exception]]:
    """Return what reads keys in PEM, and its error; raises NotReady where that, an extra, is not installed."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        raise NotReady(
            f"{key} is in PEM form, which takes the Python package cryptography, and that is not installed.",
            'Type "pip install cryptography", or give a key in OpenSSH\'s own form.',
        ) from None
    return serialization, UnsupportedAlgorithm


def _private_as_openssh(pem: bytes, key: str) -> bytes:
    serialization, unsupported = _cryptography(key)
    try:
        private = serialization.load_pem_private_key(pem, None)
        form = serialization.PrivateFormat.OpenSSH
        openssh: bytes = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        return openssh
    except (ValueError, TypeError, unsupported) as error:
        raise NotReady(
            f"{key} cannot be used to sign: {error}.", "Give an Ed25519 or another SSH key."
        ) from None


def _public_as_openssh(pem: bytes, key: str) -> bytes:
    serialization, unsupported = _cryptography(key)
    try:
        public = serialization.load_pem_public_key(pem)
        openssh: bytes = public.public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        return openssh
    except (ValueError, TypeError, unsupported) as error:
        raise BadUsage(f"{key} is no public key: {error}.", "Give an Ed25519 or another SSH key.") from None


def _sign(data: bytes, key: str) -> bytes:
    done = _ssh_keygen("sign", "-f", key, input=data)
    if done.exit_code == 0 and done.output.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        return done.output
    if ssh_keys.needs_passphrase(key):
        raise NotReady(
            f"{key} has a passphrase, so rigger cannot sign with it by itself.",
            f'Type "ssh-add {key}", and give the public key to --sign.',
        )
    raise NotReady(
        f"ssh-keygen did not sign with {key}: {_said(done.errors)}.",
        "Give an SSH private key, or a key of the agent.",
    )


def verify(data: bytes, signature: bytes, key: str | None = None) -> str:
    """Check with `ssh-keygen -Y verify` and return the signing key's fingerprint; raises Refused.

    Without `key`, a public key file, this shows only that the signature fits the data and the key it names.
    """
    with temporary_folder("rigger-") as folder:
        signature_file = _write(folder, "signature", signature)
        if key is None:
            done = _ssh_keygen("check-novalidate", "-s", signature_file, input=data)
        else:
            allowed = _write(folder, "allowed", _allowed_signers(key))
            done = _ssh_keygen("verify", "-f", allowed, "-I", _SIGNER, "-s", signature_file, input=data)
    good = re.search(rb'^Good "%s" signature .*(SHA256:\S+)' % NAMESPACE.encode(), done.output, re.MULTILINE)
    if done.exit_code == 0 and good:
        return good[1].decode()
    by = f" by a key in {key}" if key else ""
    raise Refused(
        f"The bundle's signature is not valid{by}: {_said(done.errors)}.",
        "Get the bundle and the key again from whoever made it.",
    )


def _allowed_signers(key: str) -> bytes:
    """The lines of a public key file as ssh-keygen wants them; nothing else of the file gets there."""
    content = _read(key)
    if b"-----BEGIN PUBLIC KEY-----" in content:
        content = _public_as_openssh(content, key)
    lines = content.decode("utf-8", "replace").splitlines()
    lines = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    matches = [match for line in lines if (match := _KEY.fullmatch(line))]
    if not matches or len(matches) != len(lines):
        raise BadUsage(f"{key} is no SSH public key.", "Give the file that ends in .pub.")
    return "".join(
        f'{_SIGNER} namespaces="{NAMESPACE}" {match[1]} {match[2]}\n' for match in matches
    ).encode()


def _ssh_keygen(action: str, *arguments: str, input: bytes) -> Captured:
    if not shutil.which("ssh-keygen"):
        raise NotReady(
            "Signatures need ssh-keygen, which is not on the PATH.", "Install OpenSSH 8.1 or newer."
        )
    # No window may open and wait for an answer that nobody gives.
    env = {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}
    return capture.capture(["ssh-keygen", "-Y", action, "-n", NAMESPACE, *arguments], env=env, input=input)


def _write(folder: str, name: str, data: bytes) -> str:
    path = os.path.join(folder, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
    return path


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1024 * 1024)
    except OSError as error:
        raise BadUsage(
            f"Cannot read the key {path}: {error.strerror}.", "Check its name, and who may read it."
        ) from error


def _said(errors: bytes) -> str:
    return printable(last_line(errors.decode("utf-8", "replace")) or "it said nothing").rstrip(". ")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "...")
