"""rigger status"""

import json
import os

import pytest
from clusters import ended, wait_for


def state(rigger) -> dict:
    return json.loads(rigger("status", "-o", "json").out)


def test_from_configured_to_destroyed(cluster, rigger):
    assert "nothing made yet" in rigger("status").out
    assert state(rigger)["state"] == "configured"
    cluster.script("platform", "deploy", "exit 3")
    rigger("provision", code=5)
    said = rigger("status").out
    assert 'a run did not finish. Next: "rigger provision" goes on' in said and "deploy failed" in said
    cluster.script("platform", "deploy")
    rigger("provision")
    said = rigger("status").out
    assert said.startswith("wood: tree 1.10.0 on soil\n  deployed since 20")
    assert "node-1  10.0.0.1" in said and "last run: provision at" in said and ": done (" in said
    rigger("destroy", "--yes")
    assert "destroyed" in rigger("status").out


def test_as_json(provisioned):
    found = state(provisioned.rigger)
    assert found["name"] == "wood" and found["version"] == found["deployed_version"] == "1.10.0"
    assert found["since"].endswith("Z") and [node["name"] for node in found["nodes"]] == ["node-1", "node-2"]
    assert found["last_run"]["outcome"] == "done"
    assert [step["step"] for step in found["last_run"]["steps"]] == [
        "install",
        "create",
        "install",
        "deploy",
        "check",
    ]
    assert found["pending"] == [] and found["running"] == ""


def test_after_a_destroy_that_failed_the_way_on_is_to_destroy_again(provisioned):
    provisioned.script("provider", "destroy", "exit 3")
    provisioned.rigger("destroy", "--yes", code=5)
    assert 'a destroy did not finish. Next: "rigger destroy" goes on' in provisioned.rigger("status").out


def test_what_is_configured_and_not_provisioned(provisioned):
    provisioned.rigger("config", "set", "VERSION=1.9.0", "COMMENT=of no consequence")
    found = state(provisioned.rigger)
    assert "VERSION" in found["pending"]
    assert (found["version"], found["deployed_version"]) == ("1.9.0", "1.10.0")
    assert "Configured but not provisioned: " in provisioned.rigger("status").out
    provisioned.rigger("provision")
    assert state(provisioned.rigger)["pending"] == []


def test_a_value_that_no_step_waits_for_does_not_stay_pending(provisioned):
    for assignment in ("COMMENT=words", "TOOLS=many", "NODES=3"):
        provisioned.rigger("config", "set", assignment)
        provisioned.rigger("provision")
        assert state(provisioned.rigger)["pending"] == [], assignment
        assert json.loads(provisioned.rigger("config", "diff", "-o", "json").out) == {}, assignment


@pytest.mark.parametrize("command", [["test", "smoke"], ["check"]])
def test_a_look_at_the_cluster_changes_nothing_but_the_last_run(provisioned, command):
    provisioned.rigger(*command)
    found = state(provisioned.rigger)
    assert found["state"] == "deployed" and found["last_run"]["command"] == " ".join(command)


def test_what_is_under_way_is_not_called_cut_off(cluster, rigger):
    cluster.script("provider", "create", 'while [ ! -e "$NOTED.go" ]; do sleep 0.05; done')
    process = rigger.start("provision")
    try:
        wait_for(lambda: os.path.exists(cluster.noted) and "create" in open(cluster.noted).read())
        assert state(rigger)["state"] == "running"
        said = rigger("status").out
        assert "provision is under way" in said and "cut off" not in said and "locked by" in said
        assert json.loads(rigger("history", "-o", "json").out)[-1]["outcome"] == "running"
    finally:
        open(f"{cluster.noted}.go", "w").close()
        code, _ = ended(process)
    assert code == 0 and state(rigger)["state"] == "deployed"
