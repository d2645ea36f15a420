"""What is recorded of a secret."""

import hashlib
import hmac
import os
import re

from hypothesis import given
from hypothesis import strategies as st

from rigger.audit.secrets import HIDDEN, secret_digest

KEY = os.urandom(32)
BYTES = st.binary(max_size=40).map(os.fsdecode)


@given(BYTES)
def test_a_digest_is_short_hidden_and_always_the_same(value):
    digest = secret_digest(KEY, value)
    assert re.fullmatch(re.escape(HIDDEN) + "[0-9a-f]{16}", digest)
    assert digest == secret_digest(KEY, value)


@given(BYTES, BYTES)
def test_another_value_or_key_has_another_digest(one, other):
    assert (secret_digest(KEY, one) == secret_digest(KEY, other)) == (one == other)
    assert secret_digest(KEY, one) != secret_digest(os.urandom(32), one)


def test_it_is_the_hmac_of_the_bytes():
    wanted = hmac.new(b"k" * 32, b"caf\xe9", hashlib.sha256).hexdigest()[:16]
    assert secret_digest(b"k" * 32, "caf\udce9") == f"***{wanted}"
