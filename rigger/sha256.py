"""SHA-256 of what is small: records, scripts, values.

Python's own code for it; `hashlib` brings OpenSSL's, which is faster for files of megabytes, and takes longer to load than
most commands take to run. The digests are the same.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
    from typing import Any
else:
    try:
        from _sha2 import sha256  # since Python 3.12
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:  # another Python
            from hashlib import sha256

__all__ = ["GrowingDigest", "digest_of_data", "digest_of_file", "sha256"]

BLOCK = 1 << 16  # bytes that are read at once; for more, memory is mapped anew each time
LARGE = 1 << 20  # bytes from which on OpenSSL is worth its import


def digest_of_data(value: Any) -> str:
    """Return the digest of what JSON can say, in hexadecimal; the order of keys does not count."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


class GrowingDigest:
    """The SHA-256 of what comes in parts, and nobody knows how many: OpenSSL's from where it pays."""

    def __init__(self) -> None:
        self._digest = sha256()
        self._parts: list[bytes] = []  # as long as OpenSSL may still take them over
        self._size = 0

    def update(self, data: bytes | memoryview) -> None:
        """Take the next part."""
        if self._size <= LARGE:
            self._parts.append(bytes(data))
            self._size += len(data)
            if self._size > LARGE:
                self._take_over()
                return
        self._digest.update(data)

    def _take_over(self) -> None:
        import hashlib

        self._digest = hashlib.sha256()
        for part in self._parts:
            self._digest.update(part)
        self._parts = []

    def hexdigest(self) -> str:
        """Return the digest of all that came."""
        return self._digest.hexdigest()


def digest_of_file(path: str) -> str:
    """Return the digest of a file, in hexadecimal."""
    with open(path, "rb", buffering=0) as file:
        block, more = file.read(BLOCK), file.read(BLOCK)
        if not more:
            return sha256(block).hexdigest()
        digest = GrowingDigest()
        digest.update(block)
        while more:
            digest.update(more)
            more = file.read(BLOCK)
    return digest.hexdigest()
