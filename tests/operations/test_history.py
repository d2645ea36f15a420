"""The runs of the past and their logs, from Python."""

import os

import pytest
from helpers.without_terminal import configured

from rigger.errors import BadUsage, StepFailed
from rigger.operations.check import check
from rigger.operations.consent import Consent
from rigger.operations.destroy import destroy
from rigger.operations.history import history
from rigger.operations.logs import BLOCK, StepLog, follow, logs
from rigger.operations.provision import provision
from rigger.operations.test import test as run_tests
from rigger.operations.upgrade import upgrade
from rigger.operations.upgrade_request import UpgradeOptions

PROVISION = ["install", "create", "install", "deploy", "check"]


@pytest.fixture
def stood(wood):
    """A cluster that was provisioned and then looked at: two runs."""
    provision(wood)
    run_tests(wood, ("smoke",))
    return wood


def test_an_environment_that_has_not_run_anything(wood):
    assert history(wood).as_dict()["runs"] == [] and logs(wood).as_dict()["logs"] == []
    assert logs(wood, "any", "step").steps == ()


def test_runs_stand_in_order_with_their_steps(stood):
    first, second = history(stood).as_dict()["runs"]
    assert [*first] == [
        *("number", "run", "command", "time", "by", "actor", "reason", "request", "outcome", "seconds"),
        *("steps", "configured_version", "from", "to"),
    ]
    assert [(run["number"], run["from"], run["to"]) for run in (first, second)] == [
        (1, "", "1.10.0"),
        (2, "1.10.0", "1.10.0"),
    ]
    assert 0 < first["seconds"] < 60
    assert (first["command"], first["outcome"], first["configured_version"]) == (
        "provision",
        "done",
        "1.10.0",
    )
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
    with pytest.raises(BadUsage, match=f"2 runs begin with '{common}'; the newest are 2, 1."):
        logs(stood, common)
    with pytest.raises(BadUsage, match="There is no run 'never'; the newest is 2.") as caught:
        logs(stood, "never")
    assert caught.value.next_step.endswith("\n  rigger history")


@pytest.mark.parametrize("step", ["2", "02", "create", "02-create", "provider/soil/create"])
def test_a_step_has_many_names(stood, step):
    [found] = logs(stood, history(stood).runs[0].run, step).as_dict()["logs"]
    assert (found["number"], found["module"], found["step"]) == (2, "provider/soil", "create")


def test_two_steps_of_a_name_are_both_shown_and_one_that_is_none_is_named(stood):
    run = history(stood).runs[0].run
    assert [step.module for step in logs(stood, run, "install").steps] == ["provider/soil", "platform/tree"]
    with pytest.raises(BadUsage, match=r"Run 1 \(provision\) has no step 'sow'") as caught:
        logs(stood, run, "sow")
    assert caught.value.next_step.startswith("Its steps: 1 install, 2 create,")


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_a_log_is_read_in_blocks_byte_for_byte(tmp_path, size):
    data = os.urandom(size)
    (tmp_path / "01-create.log").write_bytes(data)
    blocks = [*StepLog(1, "r", 1, "soil", "create", str(tmp_path / "01-create.log")).content()]
    assert b"".join(blocks) == data
    assert all(0 < len(block) <= BLOCK for block in blocks)


def test_a_log_that_was_never_begun_says_so(tmp_path):
    said = b"".join(StepLog(1, "r", 1, "soil", "create", str(tmp_path / "01-create.log")).content())
    assert said == b"(no log: 01-create.log was never begun)\n"


@pytest.mark.parametrize("word", ["1", "provision", "first"])
def test_a_run_has_several_names(stood, word):
    runs = history(stood).runs
    assert logs(stood, runs[0].run if word == "first" else word).run == 1
    assert logs(stood, "last").run == logs(stood, "test").run == logs(stood, "test smoke").run == 2


@pytest.mark.parametrize(
    ("text", "lines", "shown"),
    [
        (b"", 3, b""),
        (b"a\nb\nc\n", 2, b"b\nc\n"),
        (b"a\nb\nc", 2, b"b\nc"),
        (b"a\nb\n", 9, b"a\nb\n"),
        (b"a\n", 0, b""),
        (b"x" * BLOCK + b"\n" + b"y" * BLOCK + b"\n", 1, b"y" * BLOCK + b"\n"),
        (b"\n\n\n", 2, b"\n\n"),
    ],
)
def test_the_last_lines_of_a_log(tmp_path, text, lines, shown):
    (tmp_path / "01-create.log").write_bytes(text)
    log = StepLog(1, "r", 1, "soil", "create", str(tmp_path / "01-create.log"))
    start, found = log.start_of_last(lines)
    assert b"".join(log.content(start)) == shown and found == min(lines, len(text.splitlines()))


def test_the_last_lines_are_those_of_all_steps(stood, cluster):
    cluster.script("provider", "check", "seq 3")
    cluster.script("platform", "check", "seq 4 5")
    check(stood)

    def shown(lines):
        found = logs(stood, "check", tail=lines)
        told = zip(found.steps, found.starts, strict=True)
        return [(step.number, b"".join(step.content(start))) for step, start in told]

    assert shown(1) == [(2, b"5\n")]
    assert shown(4) == [(1, b"2\n3\n"), (2, b"4\n5\n")]


def test_one_that_has_ended_is_followed_to_its_end(stood, cluster):
    cluster.script("provider", "check", "echo seen")
    check(stood)
    parts = [*follow(stood, logs(stood, "check", "1"), "1")]
    assert [part if isinstance(part, bytes) else part.step for part in parts] == ["check", b"seen\n"]


def test_the_versions_of_an_upgrade_that_failed(trees):
    wood = configured(trees, VERSION="1.9.0")
    provision(wood)
    trees.script("platform", "upgrade-graceful", "exit 1")
    with pytest.raises(StepFailed):
        upgrade(wood, UpgradeOptions("1.10.0", "graceful"))
    trees.script("platform", "upgrade-graceful")
    upgrade(wood, UpgradeOptions(resume=True))
    check(wood)
    destroy(wood, consent=Consent(yes=True))
    assert [(run.command, run.before, run.after, run.outcome) for run in history(wood).runs] == [
        ("provision", "", "1.9.0", "done"),
        ("upgrade", "1.9.0", "1.10.0", "failed"),
        ("upgrade", "1.9.0", "1.10.0", "done"),
        ("check", "1.10.0", "1.10.0", "done"),
        ("destroy", "1.10.0", "", "done"),
    ]
