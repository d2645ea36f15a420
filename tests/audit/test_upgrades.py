"""The upgrade that is not finished, and the ways on from there."""

import pytest
from helpers.audit_events import begun, ran, tell

from rigger.audit.upgrades import UpgradeHistory, unfinished
from rigger.errors import InvalidConfig

JUMP = {"from": "1", "to": "2"}
STARTED = ("upgrade-started", {**JUMP, "style": "graceful", "rollback": False})
CHANGING = begun("upgrade-graceful", command="upgrade")
BACK = ("upgrade-started", {"from": "2", "to": "1", "style": "graceful", "rollback": True})


def test_what_was_asked_for_is_known_until_it_is_done():
    history = tell(UpgradeHistory(), STARTED, CHANGING)
    request = history.pending.request
    assert (request.start, request.to, request.style, request.back) == ("1", "2", "graceful", False)
    assert request.verb == "upgrade-graceful" and request.since > 0
    assert tell(history, BACK).pending.request.back


@pytest.mark.parametrize(
    "end",
    [
        ("upgrade-finished", JUMP),
        ("upgrade-rolled-back", JUMP),
        ("destroyed", {}),
        ("restored", {"file": "/f"}),
        begun("undeploy", command="destroy"),
    ],
)
def test_what_ends_an_upgrade(end):
    assert tell(UpgradeHistory(), STARTED, CHANGING, end).pending is None
    assert tell(UpgradeHistory(), end, STARTED, CHANGING).pending is not None


RUN, END = ("run-started", {"command": "upgrade"}), ("run-finished", {"outcome": "failed"})
KILLED = ("run-started", {"command": "backup"})  # what comes after a run that has no end
LOOKS = [ran("tests/app-test", command="upgrade"), ran("backup", command="upgrade", exit_code=3)]


@pytest.mark.parametrize("end", [END, KILLED])
def test_one_that_changed_nothing_is_over(end):
    history = tell(UpgradeHistory(), STARTED, RUN, *LOOKS)
    assert history.pending is None, "also while it is under way"
    assert tell(history, end, CHANGING).pending is None
    assert tell(history, STARTED, RUN, CHANGING, end).pending is not None


@pytest.mark.parametrize("end", [END, KILLED])
def test_one_that_moved_the_checkout_has_changed_something(end):
    moved = {"folder": "/c", "version": "2", "before": "a", "commit": "b"}
    assert tell(UpgradeHistory(), STARTED, RUN, ("checked-out", moved), end).pending is not None
    by_hand = ("checked-out", {**moved, "ref": "", "tag": "refs/tags/2"})
    assert tell(UpgradeHistory(), STARTED, RUN, by_hand, end).pending is None


@pytest.mark.parametrize("end", [END, KILLED])
def test_a_way_back_is_unfinished_from_its_beginning(end):
    assert tell(UpgradeHistory(), STARTED, RUN, CHANGING, END, BACK, RUN, *LOOKS, end).pending.request.back


def test_only_steps_since_it_began_count():
    history = tell(UpgradeHistory(), ran("deploy"), STARTED, ran("upgrade-graceful", command="upgrade"))
    assert [*history.pending.steps.done] == ["platform/tree/upgrade-graceful"]
    assert [*tell(history, BACK).pending.steps.done] == []


def test_its_own_backup_is_the_first_that_was_whole():
    history = tell(UpgradeHistory(), STARTED, CHANGING, ran("backup"))
    assert history.pending.backup is None, "that was one of another command"
    tell(history, ran("backup", command="upgrade", exit_code=3), begun("backup", command="upgrade"))
    assert history.pending.backup is None
    first, second = (ran("backup", command="upgrade", number=number) for number in (71, 72))
    assert tell(history, first, second).pending.backup.number == 71
    assert tell(history, BACK).pending.backup is None


def test_other_commands_are_told_both_ways_on():
    problem = tell(UpgradeHistory(), STARTED, CHANGING).pending.problem("wood")
    assert isinstance(problem, InvalidConfig)
    assert (
        problem.message == unfinished("wood", "1", "2") == "The upgrade of wood from 1 to 2 is not finished."
    )
    assert "--continue" in problem.next_step and "--rollback" in problem.next_step
