"""rigger logs; runs and steps by every name that they have are in tests/commands/test_history.py."""

import json
import os

import pytest
from helpers.clusters import killed, wait_for


def test_the_beginning_of_a_run_is_enough_if_it_is_one_runs(provisioned):
    [run] = {record["run"] for record in provisioned.records() if record["event"] == "step-started"}
    assert provisioned.rigger("logs", run[:-1]).out == provisioned.rigger("logs").out
    provisioned.rigger("check")
    assert "2 runs begin with" in provisioned.rigger("logs", run[:2], code=2).err


def test_each_step_stands_below_its_name(cluster):
    cluster.script("provider", "create", "echo made")
    cluster.rigger("provision")
    said = cluster.rigger("logs").out
    heads = [line.split()[2:] for line in said.splitlines() if line.startswith("==> ")]
    assert heads[1] == ["2", "provider/soil", "create"]
    assert said[said.index("create") :].splitlines()[1] == "made"
    rows = json.loads(cluster.rigger("logs", "-o", "json").out)["logs"]
    assert [[str(row["number"]), row["module"], row["step"]] for row in rows] == heads


def test_the_last_lines(cluster):
    cluster.script("provider", "create", "seq 100")
    cluster.rigger("provision")
    assert cluster.rigger("logs", "last", "create", "--tail", "2").out.splitlines()[1:] == ["99", "100"]
    refused = cluster.rigger("logs", "--tail", "2", "-o", "json", code=2)
    assert "-o json names the files" in refused.err


def test_a_run_is_followed_until_it_ends(cluster):
    cluster.script("provider", "create", "echo one; while ! test -e go; do sleep 0.1; done; echo two")
    cluster.script("platform", "deploy", "echo three")
    gate = os.path.join(cluster.folders["provider"], "go")
    run = cluster.rigger.start("provision")
    wait_for(lambda: os.path.exists(cluster.file("runs")) and "one" in cluster.rigger("logs", code=None).out)
    follower = cluster.rigger.start("logs", "provision", "--follow")
    said = b""
    while b"one" not in said:
        said += follower.stdout.readline()
    assert follower.poll() is None
    open(gate, "w").close()
    said += follower.stdout.read()
    assert (follower.wait(20), run.wait(20)) == (0, 0)
    run.stdout.close()
    follower.stdout.close()
    heads = [line.split()[-1] for line in said.decode().splitlines() if line.startswith("==> ")]
    assert said.index(b"two") < said.index(b"three") and heads == ["create", "deploy"]


@pytest.mark.slow
def test_followers_of_one_that_was_killed_end_too(cluster):
    cluster.script("provider", "create", "echo one; sleep 60")
    run = cluster.rigger.start("provision")
    wait_for(lambda: os.path.exists(cluster.file("runs")) and "one" in cluster.rigger("logs", code=None).out)
    follower = cluster.rigger.start("logs", "--follow")
    assert b"create" in follower.stdout.readline()
    killed(run)
    assert b"one" in follower.stdout.read() and follower.wait(20) == 0
    follower.stdout.close()
