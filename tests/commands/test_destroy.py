"""rigger destroy"""

import json
import os
import sys

import pexpect
import pytest
from clusters import MAKE_NODES


def test_everything_goes_and_the_record_stays(provisioned):
    said = provisioned.rigger("destroy", "--yes")
    assert provisioned.ran() == ["platform/undeploy", "provider/destroy"]
    assert "machine node-1 (10.0.0.1) and all data on it" in said.out
    assert "wood is destroyed" in said.out and "rigger forget wood" in said.out
    assert provisioned.nodes() == []
    assert provisioned.records()[-1]["event"] == "destroyed"
    assert "destroyed" in provisioned.rigger("status").out
    assert "destroy" in provisioned.rigger("history").out


def test_without_a_terminal_it_needs_yes(provisioned):
    refused = provisioned.rigger("destroy", code=2)
    assert "--yes" in refused.err and "Nothing was changed" in refused.err
    assert "machine node-1" in refused.out
    assert provisioned.ran() == []


@pytest.mark.parametrize(("typed", "code"), [("wood", 0), ("wod", 130)])
def test_the_name_is_asked_for(provisioned, typed, code):
    argv = [*provisioned.rigger.argv[1:], "destroy"]
    child = pexpect.spawn(
        sys.executable,
        argv,
        env=provisioned.rigger.env,
        cwd=provisioned.rigger.folder,
        encoding="utf-8",
        timeout=20,
    )
    child.expect("Type wood to destroy it")
    child.sendline(typed)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code
    assert bool(provisioned.ran()) == (code == 0)


def test_twice(provisioned):
    provisioned.rigger("destroy", "--yes")
    provisioned.rigger("destroy", "--yes")
    assert provisioned.ran() == ["platform/undeploy", "provider/destroy", "provider/destroy"]


def test_what_a_failed_create_made_half(cluster):
    cluster.script("provider", "create", MAKE_NODES + "exit 1")
    cluster.rigger("provision", code=5)
    cluster.ran()
    said = cluster.rigger("destroy", "--yes")
    assert "machine node-2" in said.out
    assert cluster.ran() == ["provider/destroy"]
    assert cluster.nodes() == []


def test_leftovers_are_listed(provisioned):
    provisioned.script(
        "provider", "destroy", "rigger-leftover a disk with spaces\nrigger-leftover 'an address'"
    )
    failed = provisioned.rigger("destroy", "--yes", code=5)
    assert "wood is not destroyed completely" in failed.err
    assert "  a disk with spaces\n  an address" in failed.err
    assert "LEFTOVERS" not in provisioned.content("vars")
    assert json.loads(provisioned.rigger("history", "-o", "json").out)[-1]["outcome"] == "failed"
    assert "destroyed" not in [record["event"] for record in provisioned.records()]
    assert (
        "destroy" in provisioned.rigger("status").out
        and "deployed since" not in provisioned.rigger("status").out
    )
    report = json.loads(provisioned.rigger("destroy", "--yes", "-o", "json", code=5).out)
    assert report["leftovers"] == ["a disk with spaces", "an address"]
    provisioned.rigger("forget", "wood", "--yes", code=2)
    provisioned.script("provider", "destroy")
    provisioned.rigger("destroy", "--yes")
    provisioned.rigger("forget", "wood", "--yes")


def test_a_destroy_that_fails_keeps_the_inventory(provisioned):
    provisioned.script("provider", "destroy", "exit 6")
    failed = provisioned.rigger("destroy", "--yes", code=5)
    assert "providers/soil/destroy exited 6" in failed.err
    assert "machine node-1 (10.0.0.1)" in failed.err
    assert provisioned.nodes() == ["node-1", "node-2"]


def test_a_platform_that_cannot_be_taken_off_does_not_keep_the_machines(provisioned):
    provisioned.script("platform", "undeploy", "exit 6")
    provisioned.rigger("destroy", "--yes")
    assert provisioned.ran() == ["platform/undeploy", "provider/destroy"]


def test_a_missing_script_stops_it_before_anything_goes(provisioned):
    os.unlink(os.path.join(provisioned.folders["provider"], "destroy"))
    assert "destroy is missing" in provisioned.rigger("destroy", "--yes", code=4).err
    assert provisioned.ran() == []
