"""Who does something is the user of the process, whatever a variable says."""

import os
import subprocess
import sys

import pytest

from rigger.process.actor import actor, os_user, user

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
