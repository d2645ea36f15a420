"""The runs of the past and their logs, from Python."""

import os

import pytest

from rigger.errors import BadUsage, StepFailed
from rigger.operations.check import check
from rigger.operations.history import BLOCK, StepLog, history, logs
from rigger.operations.provision import provision
from rigger.operations.test import test as run_tests

PROVISION = ["install", "create", "install", "deploy", "check"]


@pytest.fixture
def stood(wood):
    """A cluster that was provisioned and then looked at: two runs."""
    provision(wood)
    run_tests(wood, ("smoke",))
    return wood


def test_an_environment_that_has_not_run_anything(wood):
    assert history(wood).as_dict() == [] and logs(wood).as_dict() == []
    assert logs(wood, "any", "step").steps == ()


def test_runs_stand_in_order_with_their_steps(stood):
    first, second = history(stood).as_dict()
    assert [*first] == ["run", "command", "time", "by", "version", "outcome", "steps"]
    assert (first["command"], first["outcome"], first["version"]) == ("provision", "done", "1.10.0")
    assert (second["command"], second["outcome"]) == ("test smoke", "done")
    assert [step["step"] for step in first["steps"]] == PROVISION
    assert [(step["module"], step["exit_code"]) for step in second["steps"]] == [("platform/tree", 0)]
    assert first["time"] <= second["time"]


def test_a_step_that_failed_ends_its_run(stood, cluster):
    cluster.script("provider", "check", "exit 4")
    with pytest.raises(StepFailed):
        check(stood)
    last = history(stood).runs[-1]
    assert last.outcome == "failed" and [step.exit_code for step in last.steps if step.exit_code] == [4]


def test_logs_are_those_of_the_last_run_unless_another_is_named(stood):
    first, second = (run.run for run in history(stood).runs)
    assert {step.run for step in logs(stood).steps} == {second}
    assert [step.step for step in logs(stood, first).steps] == PROVISION
    assert all(os.path.isfile(step.log) for step in logs(stood, first).steps)


def test_the_beginning_of_a_runs_name_is_enough_where_it_means_one(stood):
    first, second = (run.run for run in history(stood).runs)
    shortest = next(first[:n] for n in range(1, len(first)) if not second.startswith(first[:n]))
    assert {step.run for step in logs(stood, shortest).steps} == {first}
    common = os.path.commonprefix([first, second])  # the year at least
    with pytest.raises(BadUsage, match=f"There is no run '{common}' with steps"):
        logs(stood, common)
    with pytest.raises(BadUsage, match="There is no run 'never' with steps") as caught:
        logs(stood, "never")
    assert caught.value.next_step == 'Type "rigger history".'


@pytest.mark.parametrize("step", ["2", "02", "create", "02-create", "provider/soil/create"])
def test_a_step_has_many_names(stood, step):
    [found] = logs(stood, history(stood).runs[0].run, step).as_dict()
    assert (found["number"], found["module"], found["step"]) == (2, "provider/soil", "create")


def test_two_steps_of_a_name_are_both_shown_and_one_that_is_none_is_named(stood):
    run = history(stood).runs[0].run
    assert [step.module for step in logs(stood, run, "install").steps] == ["provider/soil", "platform/tree"]
    with pytest.raises(BadUsage, match="That run has no step 'sow'") as caught:
        logs(stood, run, "sow")
    assert caught.value.next_step == 'Type "rigger history -o json" to see its steps.'


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_a_log_is_read_in_blocks_byte_for_byte(tmp_path, size):
    data = os.urandom(size)
    (tmp_path / "01-create.log").write_bytes(data)
    blocks = [*StepLog("r", 1, "soil", "create", str(tmp_path / "01-create.log")).content()]
    assert b"".join(blocks) == data
    assert all(0 < len(block) <= BLOCK for block in blocks)


def test_a_log_that_was_never_begun_says_so(tmp_path):
    said = b"".join(StepLog("r", 1, "soil", "create", str(tmp_path / "01-create.log")).content())
    assert said == b"(no log: 01-create.log was never begun)\n"
