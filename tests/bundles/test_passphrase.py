"""Age's encryption for a passphrase: the same work on every machine, and the reason why something is not decrypted."""

import re

import pyrage
import pytest

from rigger.bundles import passphrase
from rigger.errors import BadUsage, Refused

SIZES = [0, 1, passphrase.CHUNK - 1, passphrase.CHUNK, passphrase.CHUNK + 1, 2 * passphrase.CHUNK, 200_000]


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(passphrase, "FACTOR", 10)


def factor(sealed):
    return int(re.match(rb"age-encryption\.org/v1\n-> scrypt \S+ (\d+)\n", sealed)[1])


@pytest.mark.slow
def test_the_factor_is_ages_own_whatever_the_machine_does():
    assert factor(passphrase.encrypt(b"x", "p")) == 18


@pytest.mark.parametrize("size", SIZES)
def test_age_decrypts_what_is_encrypted_here(quick, size):
    data = bytes(n % 251 for n in range(size))
    sealed = passphrase.encrypt(data, "grüße 1")
    assert pyrage.passphrase.decrypt(sealed, "grüße 1") == data == passphrase.decrypt(sealed, "grüße 1")


@pytest.mark.slow
def test_what_age_encrypts_is_decrypted_here():
    for data in (b"", b"a secret" * 20_000):
        sealed = pyrage.passphrase.encrypt(data, "right")
        assert passphrase.decrypt(sealed, "right") == data


@pytest.mark.slow
def test_a_factor_that_a_slow_machine_would_refuse_is_borne(monkeypatch):
    monkeypatch.setattr(passphrase, "FACTOR", 20)
    sealed = passphrase.encrypt(b"x", "right")
    assert factor(sealed) == 20 and passphrase.decrypt(sealed, "right") == b"x"


def test_a_factor_that_no_machine_should_bear_is_named():
    sealed = b"age-encryption.org/v1\n-> scrypt %s 30\n%s\n--- %s\n" % (b"A" * 22, b"A" * 43, b"A" * 43)
    with pytest.raises(Refused, match="work factor 30, which takes 1024 GiB of memory"):
        passphrase.decrypt(sealed + b"x" * 40, "right")


def test_another_passphrase_is_told_from_damage(quick):
    sealed = passphrase.encrypt(b"a secret" * 20_000, "right")
    with pytest.raises(BadUsage, match=r"^The passphrase does not decrypt the secrets\.$"):
        passphrase.decrypt(sealed, "wrong")
    body = sealed.index(b"\n--- ")
    for at in (body + 8, body + 52, body + 70, len(sealed) - 1):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(Refused, match="damaged"):
            passphrase.decrypt(changed, "right")
    for cut in (sealed[:-1], sealed[: body + 60], sealed[: body + 49], sealed[:30], sealed + b"x"):
        with pytest.raises(Refused, match="damaged"):
            passphrase.decrypt(cut, "right")


def test_chunks_do_not_change_places(quick):
    sealed = passphrase.encrypt(bytes(3 * passphrase.CHUNK), "right")
    start = sealed.index(b"\n", sealed.index(b"\n--- ") + 1) + 1 + 16
    size = passphrase.CHUNK + passphrase.TAG
    first, second = sealed[start : start + size], sealed[start + size : start + 2 * size]
    with pytest.raises(Refused, match="damaged"):
        passphrase.decrypt(sealed[:start] + second + first + sealed[start + 2 * size :], "right")
