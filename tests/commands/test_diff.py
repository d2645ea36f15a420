"""rigger diff"""

import json

import pytest


def test_values_scripts_versions_and_nodes_of_two_runs(provisioned):
    provisioned.script("platform", "deploy", "echo another\n")
    provisioned.rigger("config", "set", "NODES=3", "TOKEN=hunter2hunter2")
    provisioned.rigger("provision")
    said = provisioned.rigger("diff", "1", "2").out
    assert "hunter2" not in said and "***" not in said
    rows = [line.split() for line in said.splitlines()]
    assert (
        ["NODES", "2", "3"] in rows and ["TOKEN", "changed"] in rows and ["node-3", "-", "10.0.0.3"] in rows
    )
    assert any(row[:1] == ["platform/tree/deploy"] for row in rows)
    report = json.loads(provisioned.rigger("diff", "1", "last", "-o", "json").out)
    assert report["values"]["TOKEN"] == {"from": None, "to": None, "hidden": True}
    assert report["nodes"] == {"node-3": {"from": None, "to": "10.0.0.3"}}
    assert "module tree, its files" in report["versions"] and "platform/tree/deploy" in report["scripts"]
    assert (report["a"]["number"], report["b"]["command"]) == (1, "provision")


@pytest.mark.slow
def test_the_same_run_twice(provisioned):
    assert provisioned.rigger("diff", "1", "provision", "--exit-code").out == "No difference.\n"
    provisioned.rigger("config", "set", "NODES=3")
    provisioned.rigger("provision")
    assert (
        "Run 1 and run 2 are not the same" in provisioned.rigger("diff", "1", "2", "--exit-code", code=8).err
    )


def test_runs_that_are_none(cluster):
    assert "has not run anything yet" in cluster.rigger("diff", "1", "2", code=2).err
    cluster.rigger("provision")
    assert "There is no run '7'" in cluster.rigger("diff", "1", "7", code=2).err
