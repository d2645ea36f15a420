"""rigger blame, rigger history NAME"""

import json

import pytest


@pytest.fixture
def changed(provisioned):
    """Return an environment with NODES set after the first run, and brought to the cluster by the second."""
    provisioned.rigger("config", "set", "NODES=3", "TOKEN=hunter2hunter2")
    provisioned.rigger("provision", "--reason", "more room")
    return provisioned


def test_who_set_a_value_and_which_run_the_cluster_has_it_from(changed):
    said = changed.rigger("blame", "NODES").out
    assert said.startswith("NODES: 2 → 3\n") and "rigger config" in said and "@" in said
    assert "since run 2, provision" in said and "more room" in said
    report = json.loads(changed.rigger("blame", "NODES", "-o", "json").out)
    [change] = report["changes"]
    assert (change["from"], change["to"], change["number"]) == ("2", "3", 0)
    assert (change["applied"]["number"], change["applied"]["reason"]) == (2, "more room")
    assert change["by"] and change["applied"]["by"]


@pytest.mark.slow
def test_all_changes_of_a_value(changed):
    changed.rigger("config", "set", "NODES=9")
    changed.rigger("config", "unset", "NODES")
    waits = json.loads(changed.rigger("blame", "NODES", "-o", "json").out)["changes"]
    assert [(row["hidden"], row["applied"]) for row in waits] == [(True, None)]  # no run has had it yet
    changed.rigger("provision", "--yes")
    rows = json.loads(changed.rigger("history", "NODES", "-o", "json").out)["changes"]
    assert [(row["from"], row["to"], row["how"]) for row in rows] == [
        (None, "2", "default, for soil install"),
        ("2", "3", "set"),
        ("3", "2", "unset"),
    ]
    lines = changed.rigger("history", "NODES").out.splitlines()
    assert lines[0].split()[:4] == ["WHEN", "FROM", "TO", "HOW"]
    assert "3 provision" in lines[1] and "more room" in lines[2] and "1 provision" in lines[3]


def test_a_secret_is_only_said_to_have_changed(changed):
    changed.rigger("config", "set", "TOKEN=correct horse")
    for words in (("blame", "TOKEN"), ("history", "TOKEN"), ("history", "TOKEN", "-o", "json")):
        said = changed.rigger(*words).out
        assert "hunter2" not in said and "horse" not in said and "***" not in said
    assert "TOKEN: changed" in changed.rigger("blame", "TOKEN").out
    rows = json.loads(changed.rigger("history", "TOKEN", "-o", "json").out)["changes"]
    assert len(rows) == 2 and all(row["hidden"] and row["to"] is None for row in rows)


def test_what_a_step_gave_is_its_own_doing(cluster):
    cluster.script("platform", "deploy", "rigger-save-vars LEAVES=$COLOUR\n")
    cluster.rigger("provision")
    said = cluster.rigger("blame", "LEAVES").out
    assert "given by tree deploy" in said and "run 1, provision" in said and "green" not in said


@pytest.mark.slow
def test_a_hand_edited_vars_file_shows_at_the_next_run(provisioned):
    with open(provisioned.file("vars"), "a") as file:
        file.write('export NODES="1"\nexport MINE="something of my own"\n')
    provisioned.rigger("provision", "--yes")
    said = provisioned.rigger("blame", "NODES").out
    assert "NODES: 2 → 1" in said and "in the vars file" in said and "run 2, provision" in said
    said = provisioned.rigger("blame", "MINE").out
    assert "MINE: changed" in said and "something" not in said + provisioned.content("audit.jsonl")


def test_a_name_that_nobody_set(changed):
    said = changed.rigger("blame", "NODE", code=2).err
    assert "Nothing is recorded of NODE in wood" in said and "NODES" in said
    assert changed.rigger("history", "NOTHING", code=2).err == changed.rigger("blame", "NOTHING", code=2).err
