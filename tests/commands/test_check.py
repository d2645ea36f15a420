"""rigger check"""

import json

import pytest


def test_both_are_looked_at(provisioned):
    assert "wood is as it should be." in provisioned.rigger("check").out
    assert provisioned.ran() == ["provider/check", "platform/check"]


def test_both_are_looked_at_even_if_the_first_is_not_well(provisioned):
    provisioned.script("provider", "check", "echo node-1 is gone; exit 1")
    provisioned.script("platform", "check", "exit 2")
    said = provisioned.rigger("check", code=5)
    assert provisioned.ran() == ["provider/check", "platform/check"]
    assert "node-1 is gone" in said.out
    assert "providers/soil/check exited 1" in said.err and "platforms/tree/check exited 2" in said.err
    assert "rigger provision" in said.err
    assert "the last check failed (platform, provider)" in provisioned.rigger("status").out


def test_the_report_as_json(provisioned):
    provisioned.script("platform", "check", "echo '}'; exit 2")
    report = json.loads(provisioned.rigger("check", "-o", "json", code=5).out)
    assert [(step["module"], step["good"]) for step in report["steps"]] == [
        ("provider/soil", True),
        ("platform/tree", False),
    ]


def test_there_has_to_be_a_cluster(cluster):
    assert "There is no cluster to check in wood yet." in cluster.rigger("check", code=3).err
    assert cluster.ran() == []


def test_a_missing_script_is_said_before_anything_starts(provisioned):
    import os

    os.unlink(os.path.join(provisioned.folders["platform"], "check"))
    assert "check is missing" in provisioned.rigger("check", code=4).err
    assert provisioned.ran() == []


@pytest.mark.slow
def test_it_waits_until_the_cluster_is_well(provisioned):
    provisioned.script("platform", "check", 'echo x >>"$NOTED.n"; [ "$(wc -l <"$NOTED.n")" -ge 3 ]')
    said = provisioned.rigger("check", "--wait", "1m", "--count", "2")
    assert said.out.endswith("wood is as it should be.\n")
    assert provisioned.ran().count("platform/check") == 4


@pytest.mark.slow
def test_it_does_not_wait_for_ever(provisioned):
    provisioned.script("platform", "check", "exit 1")
    assert "check exited 1" in provisioned.rigger("check", "--wait", "1s", code=5).err
    for words, said in ((("--wait", "long"), "is no time"), (("--count", "2"), "Add --wait TIME")):
        assert said in provisioned.rigger("check", *words, code=2).err
    assert "is no number of checks" in provisioned.rigger("check", "--wait", "1s", "--count", "0", code=2).err
