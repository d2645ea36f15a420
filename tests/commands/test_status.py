"""rigger status"""

import json
import os
import signal

import pytest
from helpers.clusters import ended, wait_for
from helpers.run_records import open_log

from rigger.audit.lines import OWN_MEMBERS
from rigger.envfile import file as envfile


def state(rigger) -> dict:
    return json.loads(rigger("status", "-o", "json").out)


@pytest.mark.slow
def test_from_configured_to_destroyed(cluster, rigger):
    assert "nothing made yet" in rigger("status").out
    assert state(rigger)["state"] == "configured"
    cluster.script("platform", "deploy", "exit 3")
    rigger("provision", code=5)
    said = rigger("status").out
    assert "  a run did not finish\n  Resume:\n    rigger provision\n" in said and "deploy failed" in said
    cluster.script("platform", "deploy")
    rigger("provision")
    said = rigger("status").out
    assert said.startswith("wood: tree 1.10.0 on soil\n  deployed since 20")
    assert "node-1  10.0.0.1" in said and "last run: provision at" in said and ": done (" in said
    rigger("destroy", "--yes")
    assert "destroyed" in rigger("status").out


def test_as_json(provisioned):
    found = state(provisioned.rigger)
    assert found["name"] == "wood" and found["configured_version"] == found["deployed_version"] == "1.10.0"
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
    said = provisioned.rigger("status").out
    assert "  a destroy did not finish\n  Resume:\n    rigger destroy\n" in said


@pytest.mark.slow
def test_what_is_configured_and_not_provisioned(provisioned):
    provisioned.rigger("config", "set", "VERSION=1.9.0", "COMMENT=of no consequence")
    found = state(provisioned.rigger)
    assert "VERSION" in found["pending"]
    assert (found["configured_version"], found["deployed_version"]) == ("1.9.0", "1.10.0")
    assert "Configured but not provisioned: " in provisioned.rigger("status").out
    provisioned.rigger("provision", "--allow-version-change")
    assert state(provisioned.rigger)["pending"] == []


@pytest.mark.slow
def test_a_value_that_no_step_waits_for_does_not_stay_pending(provisioned):
    for assignment in ("COMMENT=words", "TOOLS=many", "NODES=3"):
        provisioned.rigger("config", "set", assignment)
        provisioned.rigger("provision")
        assert state(provisioned.rigger)["pending"] == [], assignment
        assert json.loads(provisioned.rigger("config", "diff", "-o", "json").out)["changes"] == {}, assignment


@pytest.mark.parametrize("command", [["test", "smoke"], ["check"]])
def test_a_look_at_the_cluster_changes_nothing_but_the_last_run(provisioned, command):
    provisioned.rigger(*command)
    found = state(provisioned.rigger)
    assert found["state"] == "deployed" and found["last_run"]["command"] == " ".join(command)


@pytest.mark.slow
def test_what_is_under_way_is_not_called_cut_off(cluster, rigger):
    cluster.script("provider", "create", 'while [ ! -e "$NOTED.go" ]; do sleep 0.05; done')
    process = rigger.start("provision")
    try:
        wait_for(lambda: os.path.exists(cluster.noted) and "create" in open(cluster.noted).read())
        assert state(rigger)["state"] == "running"
        said = rigger("status").out
        assert "provision is under way" in said and "cut off" not in said and "locked by" in said
        assert json.loads(rigger("history", "-o", "json").out)["runs"][-1]["outcome"] == "running"
        planned = rigger("provision", "--plan").out
        assert "it is under way in run" in planned and "cut off" not in planned and "is locked by" in planned
        assert "is locked by" in json.loads(rigger("provision", "--plan", "-o", "json").out)["running"]
    finally:
        open(f"{cluster.noted}.go", "w").close()
        code, _ = ended(process)
    assert code == 0 and state(rigger)["state"] == "deployed"


# A cluster whose vars file was damaged or removed


@pytest.fixture(params=["emptied", "removed"])
def damaged(provisioned, request):
    """Return a cluster that was provisioned with more than defaults, and what its vars file said before."""
    provisioned.rigger("config", "set", "NODES=3", "VERSION=1.9.0", "TOKEN=secret")
    provisioned.rigger("provision", "-y", "--allow-version-change")
    provisioned.ran()
    before = envfile.read(provisioned.file("vars"))
    os.unlink(provisioned.file("vars"))
    if request.param == "emptied":
        open(provisioned.file("vars"), "w").close()
    return provisioned, before


@pytest.mark.slow
def test_a_record_without_vars_is_told_with_the_way_back(damaged, rigger):
    cluster, _ = damaged
    there = os.path.exists(cluster.file("vars"))
    sentence = (
        "does not say which PLATFORM and which PROVIDER" if there else "wood has a record, but no vars file"
    )
    way = 'Type "rigger configure --name wood", which takes what is missing from that record: PLATFORM=tree'
    for command in (("status",), ("destroy", "-y"), ("provision",), ("-e", "wood", "status")):
        refused = rigger(*command, code=3).err
        assert sentence in refused and way in refused, command
    listed = rigger("list")
    assert sentence in listed.out and way in listed.out and "wood" in listed.out
    (row,) = json.loads(rigger("list", "-o", "json").out)["environments"]
    assert row["name"] == "wood" and sentence in row["problem"]
    assert cluster.ran() == []


@pytest.mark.slow
def test_configure_takes_from_the_record_what_the_vars_have_lost(damaged, rigger):
    cluster, before = damaged
    said = rigger("configure", "--defaults").out
    assert f"TREE_ID={before['TREE_ID']}" in said and "has lost what wood was made with" in said
    after = envfile.read(cluster.file("vars"))
    for name in ("PLATFORM", "PROVIDER", "VERSION", "NODES", "TREE_ID", "TREE_VERSION"):
        assert after[name] == before[name], name
    assert "TOKEN" not in after and state(rigger)["pending"] == []
    rigger("provision", "-y")
    assert cluster.ran() == ["provider/check", "platform/check"]
    rigger("destroy", "-y")
    assert cluster.ran()[-1] == "provider/destroy"


@pytest.mark.slow
def test_other_modules_than_the_recorded_are_refused_where_vars_are_lost(damaged, rigger):
    cluster, _ = damaged
    cluster.modules.write("provider", "sand")
    refused = rigger("configure", "--no-input", "--provider", "sand", "--name", "wood", code=2).err
    assert "wood was made with PROVIDER=soil, which cannot change while it exists" in refused
    assert not os.path.exists(cluster.file("vars")) or cluster.content("vars") == ""


@pytest.mark.slow
def test_an_id_that_no_record_has_comes_from_a_saved_bundle_or_not_at_all(provisioned, rigger):
    id = envfile.read(provisioned.file("vars"))["TREE_ID"]
    records = provisioned.records()
    os.makedirs(provisioned.file("saved"))
    rigger("save", "-o", provisioned.file("saved", "wood.rigger"))
    for name in ("audit.jsonl", "audit.head"):
        os.unlink(provisioned.file(name))
    log = open_log(provisioned.file("audit.jsonl"))  # as a rigger wrote it that recorded no ID
    for record in records:
        fields = {n: v for n, v in record.items() if n not in (*OWN_MEMBERS, "id")}
        log.append(record["event"], record["run"], **fields)
    os.unlink(provisioned.file("vars"))
    os.rename(provisioned.file("saved"), provisioned.file("aside"))
    refused = rigger("configure", "--defaults", code=3).err
    assert "has no TREE_ID" in refused and "recorded nowhere else" in refused
    os.rename(provisioned.file("aside"), provisioned.file("saved"))
    rigger("configure", "--defaults")
    assert envfile.read(provisioned.file("vars"))["TREE_ID"] == id


def test_the_bundle_of_an_environment_without_vars_is_known_as_its_own(provisioned, rigger, tmp_path):
    before = envfile.read(provisioned.file("vars"))
    rigger("save", "-o", tmp_path / "wood.rigger")
    os.unlink(provisioned.file("vars"))
    rigger("configure", "--no-input", "--file", tmp_path / "wood.rigger")
    after = envfile.read(provisioned.file("vars"))
    assert after["TREE_ID"] == before["TREE_ID"] and provisioned.nodes() == ["node-1", "node-2"]
    rigger("check")


def test_watch_shows_it_again_when_it_changes(provisioned):
    watching = provisioned.rigger.start("status", "--watch")
    said = b""
    while b"deployed since" not in said:
        said += watching.stdout.readline()
    provisioned.rigger("config", "set", "COLOUR=blue")
    while b"Configured but not provisioned: COLOUR" not in said:
        said += watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    assert watching.wait(20) == 130
    watching.stdout.close()


@pytest.mark.slow
def test_as_it_was_at_a_time_and_when_a_run_had_ended(provisioned):
    provisioned.rigger("config", "set", "NODES=3")
    provisioned.rigger("provision")
    provisioned.rigger("destroy", "--yes")
    then = provisioned.rigger("status", "--at", "1").out
    assert "wood: tree 1.10.0 on soil" in then and "node-2" in then and "node-3" not in then
    assert "(when run 1 ended)" in then and "deployed since" in then and "rigger provision" not in then
    report = json.loads(provisioned.rigger("status", "--at", "2", "-o", "json").out)
    assert [node["name"] for node in report["nodes"]] == ["node-1", "node-2", "node-3"]
    assert (report["state"], report["at"]["number"]) == ("deployed", 2)
    time = report["at"]["time"]
    again = json.loads(provisioned.rigger("status", "--at", time, "-o", "json").out)
    assert {**again, "at": None} == {**report, "at": None} and again["at"]["run"] == ""
    assert "destroyed" in provisioned.rigger("status", "--at", "last").out


def test_a_moment_that_is_none_has_a_sentence(provisioned):
    first = provisioned.records()[0]["time"]
    said = provisioned.rigger("status", "--at", "2019-12-31", code=2).err
    assert f"2019-12-31 is before wood was made: its record begins {first}" in said
    assert "still to come" in provisioned.rigger("status", "--at", "2999-01-01", code=2).err
    assert (
        "There is no run 'provsion' (did you mean provision?)"
        in provisioned.rigger("status", "--at", "provsion", code=2).err
    )
    assert "Leave one out" in provisioned.rigger("status", "--at", "1", "--watch", code=2).err


@pytest.mark.slow
def test_what_came_in_a_bundle_has_its_past(provisioned, tmp_path):
    bundle = str(tmp_path / "wood.rigger")
    provisioned.rigger("config", "set", "NODES=3", "TOKEN=hunter2hunter2")
    provisioned.rigger("provision")
    provisioned.rigger("save", "-f", bundle)
    there = {"RIGGER_HOME": str(tmp_path / "elsewhere"), "RIGGER_TOKEN": "hunter2hunter2"}
    provisioned.rigger("configure", "--file", bundle, "--no-input", "--trust", env=there)
    same = [
        json.loads(provisioned.rigger("status", "--at", "1", "-o", "json", env=env).out)
        for env in ({}, there)
    ]
    assert {**same[0], "path": ""} == {**same[1], "path": ""} and len(same[0]["nodes"]) == 2
    changes = json.loads(provisioned.rigger("config", "diff", "--at", "2", "-o", "json", env=there).out)[
        "changes"
    ]
    assert "TOKEN" not in changes  # the same secret, though its digest has another key here
    provisioned.rigger("provision", env=there)
    said = provisioned.rigger("history", "TOKEN", "-o", "json", env=there).out
    assert len(json.loads(said)["changes"]) == 1
