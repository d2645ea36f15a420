"""What a pre-flight check found of one thing."""

from __future__ import annotations

from rigger.values import frozen


@frozen
class Finding:
    """One thing that was looked at, or could not be: what it is, whether it will do, and what to do if not."""

    what: str
    good: bool
    detail: str
    remedy: str = ""
    tried: bool = True  # False: nobody knows, and `detail` says why
