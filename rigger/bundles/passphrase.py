"""Age's encryption for a passphrase (age-encryption.org/v1), with a work factor that is the same on every machine.

Libraries measure the factor when they encrypt, and what they would bear when they decrypt: on a slow or busy machine
they refuse what a fast one wrote, although the passphrase is right. The factor here is that of age itself.
"""

from __future__ import annotations

import binascii
import hmac
import os
import re
from base64 import b64decode, b64encode

from rigger.errors import BadUsage, NotReady, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FACTOR = 18  # the base 2 logarithm of scrypt's N, as age has it: 256 MiB, and about a second
MOST = 22  # 4 GiB: what age itself bears when it decrypts
CHUNK = 64 * 1024  # bytes of the payload that are encrypted together
TAG = 16  # bytes by which each of them grows
AGAIN = "Get the bundle again from whoever made it."

_HEADER = re.compile(
    rb"age-encryption\.org/v1\n-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)\n([A-Za-z0-9+/]{43})\n--- ([A-Za-z0-9+/]{43})\n"
)


def encrypt(data: bytes, passphrase: str) -> bytes:
    """Return the data encrypted; every program that knows age's format decrypts it."""
    file_key, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(16)
    wrapped = _cipher(_wrapping_key(passphrase, salt, FACTOR)).encrypt(bytes(12), file_key, None)
    stanza = b"-> scrypt %s %d\n%s\n" % (_text(salt), FACTOR, _text(wrapped))
    header = b"age-encryption.org/v1\n" + stanza + b"---"
    cipher = _cipher(_derived(file_key, nonce, b"payload"))
    payload = (cipher.encrypt(number, chunk, None) for number, chunk in _chunks(data, CHUNK))
    return b"".join((header, b" ", _text(_mac(file_key, header)), b"\n", nonce, *payload))


def decrypt(data: bytes, passphrase: str) -> bytes:
    """Return what was encrypted; raises BadUsage for another passphrase, Refused for damaged data."""
    from cryptography.exceptions import InvalidTag

    match = _HEADER.match(data)
    if not match:
        raise Refused("The head of the secrets is damaged.", AGAIN)
    salt, factor, wrapped, mac = _bytes(match[1]), int(match[2]), _bytes(match[3]), _bytes(match[4])
    try:
        file_key = _cipher(_wrapping_key(passphrase, salt, factor)).decrypt(bytes(12), wrapped, None)
    except InvalidTag:
        raise BadUsage("The passphrase does not decrypt the secrets.", "Try again.") from None
    header = data[: match.start(4) - 1]
    nonce, payload = data[match.end() : match.end() + 16], data[match.end() + 16 :]
    try:
        if not hmac.compare_digest(_mac(file_key, header), mac):
            raise InvalidTag
        cipher = _cipher(_derived(file_key, nonce, b"payload"))
        return b"".join(cipher.decrypt(number, c, None) for number, c in _chunks(payload, CHUNK + TAG))
    except InvalidTag:
        raise Refused("The passphrase is right, but the secrets are damaged.", AGAIN) from None


def _wrapping_key(passphrase: str, salt: bytes, factor: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    if factor > MOST:
        raise Refused(
            f"The secrets were encrypted with the work factor {factor}, which takes {_memory(factor)} of memory; "
            f"age's limit is {MOST}.",
            "Have them encrypted again with a lower one.",
        )
    try:
        derive = Scrypt(b"age-encryption.org/v1/scrypt" + salt, length=32, n=1 << factor, r=8, p=1).derive
        return derive(passphrase.encode("utf-8", "surrogateescape"))
    except MemoryError:
        raise NotReady(
            f"The passphrase takes {_memory(factor)} of memory to try, which are not free.",
            "End other programs, and try again.",
        ) from None


def _memory(factor: int) -> str:
    mebibytes = (1024 << factor) >> 20  # 128 * r * N bytes
    return f"{mebibytes >> 10} GiB" if mebibytes >= 1024 else f"{mebibytes} MiB"


def _chunks(data: bytes, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Return the payload's chunks, each with its nonce: its number, and whether it is the last one; one may be empty."""
    last = max(0, len(data) - 1) // size
    for number in range(last + 1):
        yield number.to_bytes(11, "big") + bytes([number == last]), data[number * size : (number + 1) * size]


def _cipher(key: bytes):  # type: ignore[no-untyped-def]
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(key)


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derived(file_key, b"", b"header"), header, "sha256")


def _derived(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    """HKDF with SHA-256 (RFC 5869) for 32 bytes."""
    return hmac.digest(hmac.digest(salt, key, "sha256"), purpose + b"\1", "sha256")


def _text(data: bytes) -> bytes:
    return b64encode(data).rstrip(b"=")


def _bytes(text: bytes) -> bytes:
    try:
        return b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        raise Refused("The head of the secrets is damaged.", AGAIN) from None
