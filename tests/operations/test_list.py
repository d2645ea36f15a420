"""Which environments there are, from Python."""

import json
import os

import pytest
from helpers.without_terminal import configured

from rigger.environments.home import Home
from rigger.operations.answers import Given
from rigger.operations.configure import configure
from rigger.operations.list import UNKNOWN, environments
from rigger.operations.provision import provision
from rigger.operations.use import use


@pytest.fixture
def home(cluster):
    return Home(cluster.rigger.home)


def test_a_home_without_any(home):
    assert environments(home).as_dict()["environments"] == [] and not os.path.exists(home.path)


def test_what_each_describes(home, wood):
    provision(wood)
    configure(
        home, Given("grove", {"PROVIDER": "soil", "PLATFORM": "tree", "VERSION": "1.9.0"}, defaults=True)
    )
    use(home, "wood")
    grove, listed = environments(home).as_dict()["environments"]
    assert (grove["name"], grove["current"], grove["configured_version"], grove["nodes"]) == (
        "grove",
        False,
        "1.9.0",
        0,
    )
    last = listed["last_run"]
    assert listed == {
        "name": "wood",
        "current": True,
        "path": wood.path,
        "platform": "tree",
        "configured_version": "1.10.0",
        "deployed_version": "1.10.0",
        "provider": "soil",
        "type": "",
        "nodes": 2,
        "state": "deployed",
        "last_run": {**last, "number": 1, "command": "provision", "outcome": "done"},
    }
    assert [*last] == ["number", "run", "command", "time", "outcome"]
    assert (grove["state"], grove["last_run"]) == ("configured", None)


@pytest.mark.parametrize(
    "text", ['export NODES="3\n', 'export NODES="3"\n', None], ids=["damaged", "poor", "gone"]
)
def test_one_that_cannot_be_used_says_why_and_hides_no_other(home, cluster, wood, text):
    configure(home, Given("grove", {"PROVIDER": "soil", "PLATFORM": "tree"}, defaults=True))
    if text is None:
        os.unlink(wood.vars_file)
    else:
        with open(wood.vars_file, "w") as file:
            file.write(text)
    grove, broken = environments(home).as_dict()["environments"]
    assert grove["nodes"] == 0 and "problem" not in grove
    assert (
        broken["platform"] == broken["configured_version"] == broken["nodes"] == UNKNOWN
        and "type" not in broken
    )
    assert wood.vars_file in broken["problem"] and broken["problem"].endswith(".")


def test_an_inventory_that_cannot_be_read_is_a_problem_too(home, wood):
    with open(wood.file("inventory.json"), "w") as file:
        file.write("{")
    [listed] = environments(home).listed
    assert "inventory.json" in listed.problem and listed.nodes is None
    json.dumps(listed.as_dict())


def test_environments_stand_in_the_order_of_their_names(home, cluster):
    configured(cluster)
    for name in ("b", "B", "a-1", "a"):
        configure(home, Given(name, {"PROVIDER": "soil", "PLATFORM": "tree"}, defaults=True))
    names = [listed.name for listed in environments(home).listed]
    assert names == sorted(names) and len(names) == 5
    assert [listed.name for listed in environments(home).listed if listed.current] == ["a"]
