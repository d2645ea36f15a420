"""Which steps count as done, and how each ended."""

import pytest
from helpers.audit_events import PLATFORM, PROVIDER, begun, ended, ran, tell

from rigger.audit.steps import StepHistory


def done(history) -> list[str]:
    return sorted(history.done)


@pytest.fixture
def made():
    """The history of a cluster that was provisioned."""
    steps = [("install", PROVIDER), ("create", PROVIDER), ("install", PLATFORM), ("deploy", PLATFORM)]
    return tell(StepHistory(), *(ran(step, module, VERSION="1", TOKEN="***a") for step, module in steps))


def test_a_step_is_done_once_it_succeeded():
    history, start = StepHistory(), begun("deploy")
    assert not history.ever_started("platform/tree/deploy")
    tell(history, start)
    assert history.ever_started("platform/tree/deploy") and done(history) == []
    assert [step.step for step in history.open] == ["deploy"]
    tell(history, ended(start))
    assert done(history) == ["platform/tree/deploy"] and history.open == []
    assert history.unfinished("platform/tree/deploy") is None


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([begun("deploy")], "was cut off in run run-1"),
        (ran("deploy", exit_code=130, interrupted=True), "was interrupted in run run-1"),
        (ran("deploy", exit_code=7), "failed in run run-1 (exit 7)"),
    ],
)
def test_how_a_step_ended_in_words(made, records, words):
    tell(made, records)
    assert made.unfinished("platform/tree/deploy").outcome() == words
    assert "platform/tree/deploy" in made.done, "what it did before is still there"


def test_an_undeploy_takes_the_platform_from_its_start_on_and_a_destroy_all(made):
    tell(made, begun("undeploy"))
    assert done(made) == ["provider/soil/create", "provider/soil/install"]
    tell(made, ran("deploy"), begun("destroy", PROVIDER))
    assert done(made) == []


def test_a_create_after_a_destroy_that_failed_forgets_it(made):
    tell(made, ran("destroy", PROVIDER, exit_code=1))
    assert made.unfinished("provider/soil/destroy")
    tell(made, ran("create", PROVIDER))
    assert not made.unfinished("provider/soil/destroy")


def test_a_scale_counts_until_the_nodes_have_left(made):
    tell(made, ran("scale"))
    assert "platform/tree/scale" in made.done
    tell(made, ran("create", PROVIDER, exit_code=1))
    assert "platform/tree/scale" in made.done
    tell(made, ran("create", PROVIDER))
    assert "platform/tree/scale" not in made.done


def test_a_failed_check_counts_until_one_succeeds_or_what_it_looked_at_is_made_again(made):
    tell(made, ran("check", exit_code=3), ran("check", PROVIDER, exit_code=4))
    assert {role: run.finished.exit_code for role, run in made.failed_checks.items()} == {
        "platform": 3,
        "provider": 4,
    }
    tell(made, ran("check", exit_code=130, interrupted=True), ran("create", PROVIDER))
    assert [*made.failed_checks] == ["platform"]
    tell(made, ran("check"))
    assert made.failed_checks == {} and "platform/tree/check" not in made.done


@pytest.mark.parametrize("event", ["upgrade-finished", "upgrade-rolled-back"])
def test_an_upgrade_counts_for_the_steps_that_bring_a_version(made, event):
    tell(made, ran("backup", VERSION="1"), (event, {"from": "1", "to": "2"}))
    versions = {key: run.parameters["VERSION"] for key, run in made.done.items()}
    assert versions == {
        "provider/soil/install": "1",
        "provider/soil/create": "1",
        "platform/tree/install": "2",
        "platform/tree/deploy": "2",
        "platform/tree/backup": "1",
    }


def test_a_secret_that_another_machine_hashes_otherwise_is_the_same_secret(made):
    tell(made, begun("check", TOKEN="***a", PLAIN="a"))
    tell(made, ("loaded", {"digests": {"TOKEN": "***b", "PLAIN": "***c", "OTHER": "***d"}}))
    assert made.done["provider/soil/create"].parameters == {"VERSION": "1", "TOKEN": "***b"}
    assert made.open[0].parameters == {"TOKEN": "***b", "PLAIN": "a"}


def test_nothing_is_left_of_a_destroyed_cluster_but_what_ran(made):
    tell(made, ("run-started", {"run": "run-1", "rigger": "0.1.0"}), ("destroyed", {"nodes": []}))
    assert (made.last, made.done, made.failed_checks) == ({}, {}, {})
    assert made.versions == {"run-1": "0.1.0"}


def test_an_end_without_a_beginning_says_nothing():
    assert done(tell(StepHistory(), ended(begun("deploy")))) == []


def test_a_recovered_step_is_neither_open_nor_done():
    start = begun("create", PROVIDER)
    history = tell(StepHistory(), start, ("step-recovered", {"run": "run-1", "number": start[1]["number"]}))
    assert history.open == [] and done(history) == [] and history.unfinished("provider/soil/create")


def test_what_scripts_have_in_their_own_folder_counts_until_the_cluster_is_destroyed(made):
    start = begun("create", PROVIDER)
    name, fields = ended(start)
    tell(made, [start, (name, {**fields, "kept": 3})])
    assert made.kept[PROVIDER] == 3
    tell(made, [("destroyed", {"nodes": []})])
    assert made.kept == {}
