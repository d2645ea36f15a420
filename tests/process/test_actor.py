"""Who does something is the user of the process, whatever a variable says."""

import hmac
import os
import subprocess
import sys

import pytest

from rigger.errors import BadUsage
from rigger.process.actor import actor, os_user, proven_actor, user

HOST = os.uname().nodename


def test_a_variable_does_not_make_anybody_somebody_else(monkeypatch):
    monkeypatch.setenv("USER", "eve")
    assert user() == f"{os_user()} (USER=eve)" and actor() == f"{os_user()}@{HOST} (USER=eve)"


@pytest.mark.parametrize("said", ["", "the same"])
def test_nothing_is_said_of_a_variable_that_says_nothing_else(monkeypatch, said):
    monkeypatch.delenv("LOGNAME", raising=False)
    monkeypatch.setenv("USER", said and os_user())
    assert user() == os_user() and actor() == f"{os_user()}@{HOST}"


def test_a_variable_cannot_drive_a_terminal(monkeypatch):
    monkeypatch.setenv("USER", "eve\x1b[2J\n" + "x" * 100)
    assert "\x1b" not in actor() and "\n" not in actor() and len(actor()) < 100 + len(HOST) + len(os_user())


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_a_number_without_a_name():
    code = "import os, pwd; from rigger.process.actor import actor; os.setuid(54321); print(actor())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "USER": "root"},
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"54321@{HOST} (USER=root)\n", done.stderr


# For somebody else


def proof(key, *parts):
    return hmac.new(key, "\n".join(parts).encode(), "sha256").hexdigest()


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "actor.key"
    path.write_bytes(b"k" * 32 + b"\n")
    path.chmod(0o600)
    return b"k" * 32


def test_a_name_counts_once_it_is_proved(tmp_path, key, monkeypatch):
    assert proven_actor(str(tmp_path), "prod", "r-1") == ""
    monkeypatch.setenv("RIGGER_ACTOR", "anna")
    monkeypatch.setenv("RIGGER_ACTOR_PROOF", proof(key, "anna", "prod", "r-1"))
    assert proven_actor(str(tmp_path), "prod", "r-1") == "anna"
    for environment, request in (("test", "r-1"), ("prod", "r-2")):  # it is for this one alone
        with pytest.raises(BadUsage, match="'anna', and nothing proves that"):
            proven_actor(str(tmp_path), environment, request)


def test_nothing_is_proved_by_a_name_alone_or_a_key_that_others_have(tmp_path, key, monkeypatch):
    monkeypatch.setenv("RIGGER_ACTOR", "anna")
    with pytest.raises(BadUsage, match="nothing proves that"):
        proven_actor(str(tmp_path), "prod", "")
    monkeypatch.setenv("RIGGER_ACTOR_PROOF", proof(key, "anna", "prod", ""))
    assert proven_actor(str(tmp_path), "prod", "") == "anna"
    (tmp_path / "actor.key").chmod(0o644)
    with pytest.raises(BadUsage, match="nothing proves that"):
        proven_actor(str(tmp_path), "prod", "")
    monkeypatch.setenv("RIGGER_ACTOR_PROOF", proof(b"", "anna", "prod", ""))
    (tmp_path / "actor.key").unlink()
    with pytest.raises(BadUsage, match="nothing proves that"):
        proven_actor(str(tmp_path), "prod", "")
