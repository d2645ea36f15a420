"""The bytes of a file that somebody wrote by hand."""

from __future__ import annotations

from rigger.errors import Refused
from rigger.sha256 import BLOCK

MAX_BYTES = 1 << 20
NEXT_STEP = "Correct it, then run the same command again."


def read(path: str) -> bytes:
    """Return the bytes of a file; raises Refused where it cannot be read, or is larger than MAX_BYTES."""
    data = b""
    try:
        with open(path, "rb", buffering=0) as file:
            while len(data) <= MAX_BYTES and (block := file.read(BLOCK)):
                data += block
    except OSError as problem:
        raise Refused(f"{path} cannot be read: {problem.strerror}.", NEXT_STEP) from None
    if len(data) > MAX_BYTES:
        raise Refused(f"{path} is larger than {MAX_BYTES} bytes.", NEXT_STEP)
    return data
