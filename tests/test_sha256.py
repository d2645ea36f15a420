"""SHA-256 of what comes in parts."""

import hashlib

import pytest

from rigger.sha256 import LARGE, GrowingDigest


@pytest.mark.parametrize(
    "parts", [[], [b"a", b"", b"bc"], [b"x" * LARGE], [b"x" * LARGE, b"y", b"z"], [b"x" * 7] * (LARGE // 3)]
)
def test_it_is_that_of_the_whole(parts):
    digest = GrowingDigest()
    for part in parts:
        buffer = bytearray(part)
        digest.update(memoryview(buffer))
        buffer[:] = b"-" * len(buffer)  # whoever gave it may use it again
    assert digest.hexdigest() == hashlib.sha256(b"".join(parts)).hexdigest()
