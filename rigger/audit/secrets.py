"""Secrets in the audit log: their digests, so that a change is seen and a value is not."""

from __future__ import annotations

HIDDEN = "***"


def is_hidden(value: str | None) -> bool:
    """Return whether a recorded value is there as its digest alone."""
    return value is not None and value.startswith(HIDDEN)


def secret_digest(key: bytes, value: str) -> str:
    """Return what is recorded of a secret: HMAC-SHA-256 under the environment's own key, 16 hex digits.

    It is enough to see that a secret changed, and nothing to guess it from without the key.
    """
    import hashlib
    import hmac  # slow to import, and not every environment has secrets

    digest = hmac.new(key, value.encode("utf-8", "surrogateescape"), hashlib.sha256)
    return f"{HIDDEN}{digest.hexdigest()[:16]}"
