"""rigger logs; runs and steps by every name that they have are in tests/commands/test_history.py."""

import json


def test_the_beginning_of_a_run_is_enough_if_it_is_one_runs(provisioned):
    [run] = {record["run"] for record in provisioned.records() if record["event"] == "step-started"}
    assert provisioned.rigger("logs", run[:-1]).out == provisioned.rigger("logs").out
    provisioned.rigger("check")
    assert "no run" in provisioned.rigger("logs", run[:2], code=2).err


def test_each_step_stands_below_its_name(cluster):
    cluster.script("provider", "create", "echo made")
    cluster.rigger("provision")
    said = cluster.rigger("logs").out
    heads = [line.split()[2:] for line in said.splitlines() if line.startswith("==> ")]
    assert heads[1] == ["2", "provider/soil", "create"]
    assert said[said.index("create") :].splitlines()[1] == "made"
    rows = json.loads(cluster.rigger("logs", "-o", "json").out)
    assert [[str(row["number"]), row["module"], row["step"]] for row in rows] == heads
