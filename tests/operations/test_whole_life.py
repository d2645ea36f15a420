"""The operations are enough to live with: no terminal, no click, not a single print."""

import json
import os
import subprocess
import sys

import pytest
from helpers.clusters import MAKE_NODES
from helpers.second_machine import forest

LIFE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "life.py")
FOR_PEOPLE = ("click", "questionary", "prompt_toolkit", "rigger.cli", "rigger.commands", "rigger.ui")


def lived(rigger, **story):
    """Have the program live a story where nobody can be asked, and return what it came to."""
    done = subprocess.run(
        [sys.executable, LIFE, rigger.folder, json.dumps(story)],
        cwd=rigger.folder,
        env=rigger.env,
        capture_output=True,
        timeout=300,
        start_new_session=True,  # nor is there a /dev/tty
        preexec_fn=lambda: os.close(0),  # standard input is not even empty: there is none
    )
    assert done.stderr.decode() == "" and done.stdout == b"" and done.returncode == 0
    with open(os.path.join(rigger.folder, "life.json")) as file:
        life = json.load(file)
    met = [name for name in life.pop("modules") if name.startswith(FOR_PEOPLE)]
    assert met == [] and not os.path.exists(rigger.home)
    return life


@pytest.mark.slow
def test_with_nothing_at_all(rigger):
    change = {"VERSION": "1.1.0"}
    life = lived(rigger, provider="noop", platform="noop", version="1.0.0", upgrade_to="", change=change)
    assert life["provisioned"] == [
        f"noop {verb}" for verb in ("install", "create", "install", "deploy", "check")
    ]
    assert life["listed"]["platform"] == "noop" and life["passed"] == 1 and life["changed"]
    assert (life["kept"], life["upgraded"], life["suspended"]) == (False, "1.1.0", False)


@pytest.mark.slow
def test_with_machines_and_data(rigger, modules):
    cluster = forest(rigger, modules)
    cluster.script("provider", "suspend")
    cluster.script("provider", "resume", MAKE_NODES)
    change = {"NODES": "3"}
    life = lived(
        rigger, provider="soil", platform="tree", version="1.9.0", upgrade_to="1.10.0", change=change
    )
    assert life["listed"]["nodes"] == 2 and life["passed"] == 1
    assert (life["changed"], life["nodes"]) == (True, 3)
    assert (life["kept"], life["upgraded"], life["suspended"]) == (True, "1.10.0", True)
    ran = cluster.ran()
    for step in (
        "platform/backup",
        "platform/restore",
        "provider/suspend",
        "provider/resume",
        "provider/destroy",
    ):
        assert step in ran
