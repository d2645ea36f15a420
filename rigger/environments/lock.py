"""The lock of an environment, and who holds it."""

from __future__ import annotations

import fcntl
import os
import time


def acquire(fd: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Try to lock, for a moment: `holder` may be looking at the lock of a killed run just now."""
    for attempt in range(4):
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
            return True
        except OSError:
            if attempt < 3:
                time.sleep(0.05)
    return False


def user() -> str:
    return os.environ.get("USER") or os.environ.get("LOGNAME") or str(os.getuid())
