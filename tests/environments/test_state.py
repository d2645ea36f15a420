"""The state of an environment's cluster, as its audit log tells it."""

import functools

import pytest
from helpers.run_records import log_event

from rigger.environments.home import Home
from rigger.environments.state import may_have_cluster, state_of
from rigger.errors import InvalidConfig


@pytest.fixture
def wood(tmp_path):
    return Home(str(tmp_path / "home")).create("wood", {"PROVIDER": "soil", "PLATFORM": "tree"}, {})


def step(environment, name="create"):
    log_event(environment, "step-started", "r", step=name, command="provision", parameters={})


def test_the_recorded_version_is_the_one_that_the_vars_said(wood):
    say = functools.partial(log_event, wood)

    def step(command, version):
        say("run-started", command, id="0123456789", platform="tree", provider="soil")
        say(
            "step-started",
            command,
            step="deploy",
            command=command,
            parameters={"VERSION": version, "T": "***f"},
        )
        return state_of(wood).cluster.answers

    assert state_of(wood).cluster is None
    assert step("provision", "1") == {"VERSION": "1"}
    say("upgrade-started", **{"from": "1", "to": "2"})
    assert step("upgrade", "2") == {"VERSION": "1"}
    say("upgrade-started", rollback=True, **{"from": "2", "to": "1"})
    assert step("upgrade", "1") == {"VERSION": "1"}
    say("upgrade-rolled-back", **{"from": "2", "to": "1"})
    say("upgrade-started", **{"from": "1", "to": "3"})
    step("upgrade", "3")
    say("upgrade-finished", **{"from": "1", "to": "3"})
    assert state_of(wood).cluster.answers == {"VERSION": "3"}
    assert step("test", "3") == {"VERSION": "3"}
    say("destroyed")
    assert state_of(wood).cluster is None


def test_nothing_was_worked_out_anew_where_nothing_was_recorded_since(wood):
    step(wood)
    first = state_of(wood)
    assert state_of(wood) is first
    step(wood)
    assert state_of(wood) is not first


def test_two_environments_have_a_state_each(wood, tmp_path):
    other = Home(str(tmp_path / "home")).create("copse", {}, {})
    step(wood)
    assert state_of(other).cluster is None and state_of(wood).cluster is not None


def test_there_may_be_a_cluster_as_soon_as_a_step_may_have_made_some_of_it(wood):
    assert not may_have_cluster(wood)
    step(wood, "check")
    assert not may_have_cluster(wood)
    step(wood)
    assert may_have_cluster(wood)
    log_event(wood, "destroyed")
    assert not may_have_cluster(wood)


def test_a_machine_whose_making_is_not_recorded_is_a_cluster(wood):
    log_event(wood, "configured")
    with open(wood.inventory_file, "w") as file:
        file.write('[{"name": "node-1", "address": "10.0.0.1"}]')
    assert may_have_cluster(wood)


def test_machines_without_any_record_are_an_alarm(wood):
    with open(wood.inventory_file, "w") as file:
        file.write('[{"name": "node-1", "address": "10.0.0.1"}]')
    with pytest.raises(InvalidConfig, match=r"there is no record, although there are machines \(node-1\)"):
        state_of(wood)


def test_a_damaged_log_is_no_state(wood):
    step(wood)
    step(wood, "install")
    with open(wood.audit.path, "r+b") as file:
        file.write(b"?")
    with pytest.raises(InvalidConfig, match="audit.jsonl"):
        state_of(wood)
