"""rigger check"""

import json

import pytest
from helpers.clusters import wait_for


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
    said = provisioned.rigger("check", "--until-well", "1m", "--count", "2")
    assert said.out.endswith("wood is as it should be.\n")
    assert provisioned.ran().count("platform/check") == 4


@pytest.mark.slow
def test_it_does_not_wait_for_ever(provisioned):
    provisioned.script("platform", "check", "exit 1")
    assert "check exited 1" in provisioned.rigger("check", "--until-well", "1s", code=5).err
    for words, said in (
        (("--until-well", "long"), "is no time"),
        (("--wait=long",), "--wait 'long' is no time"),
        (("--count", "2"), "Add --until-well TIME"),
        (("--until-well", "1s", "--count", "0"), "is no number of checks"),
        (("1m",), "takes no argument '1m'"),
    ):
        assert said in provisioned.rigger("check", *words, code=2).err


@pytest.mark.slow
def test_the_old_words_for_it_still_work(provisioned):
    provisioned.script("platform", "check", 'echo x >>"$NOTED.n"; [ "$(wc -l <"$NOTED.n")" -ge 3 ]')
    said = provisioned.rigger("check", "--wait", "1m", "--count", "2").out
    assert "--wait 1m is --until-well 1m now" in said and said.endswith("wood is as it should be.\n")
    assert provisioned.ran().count("platform/check") == 4


@pytest.mark.slow
def test_to_wait_is_to_wait_for_the_lock(provisioned):
    provisioned.script("platform", "check", 'while [ ! -e "$NOTED.go" ]; do sleep 0.05; done')
    first = provisioned.rigger.start("check")
    wait_for(lambda: "platform/check" in provisioned.ran())
    assert "is locked by" in provisioned.rigger("check", code=7).err
    assert "is locked by" in provisioned.rigger("check", "--wait=1s", code=7).err
    second = provisioned.rigger.start("check", "--wait")
    said = second.stdout.readline().decode()
    open(f"{provisioned.noted}.go", "w").close()
    assert 'Waiting: Environment wood is locked by "rigger check"' in said
    assert first.wait(60) == second.wait(60) == 0
    for process in (first, second):
        process.communicate()
