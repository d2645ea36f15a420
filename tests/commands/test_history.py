"""rigger history, rigger logs, rigger audit"""

import json
import os
import re

import pytest
from helpers.screens import screen


def test_no_run_yet(cluster):
    for command, rows in (("history", "runs"), ("logs", "logs")):
        assert "has not run anything yet" in cluster.rigger(command).out
        assert json.loads(cluster.rigger(command, "-o", "json").out)[rows] == []


@pytest.mark.slow
def test_every_run_is_listed(provisioned):
    provisioned.script("platform", "check", "exit 1")
    provisioned.rigger("check", code=5)
    provisioned.rigger("destroy", "--yes")
    lines = provisioned.rigger("history", env={"TZ": "Asia/Kolkata"}).out.splitlines()
    assert lines[0].split() == ["RUN", "WHEN", "(IST)", "WHAT", "VERSION", "ENDED", "TOOK", "WHO"]
    rows = [re.split("  +", line.strip()) for line in lines[1:4]]
    assert [(row[0], *row[2:5]) for row in rows] == [
        ("3", "destroy", "1.10.0 → -", "done"),
        ("2", "check", "1.10.0", "failed"),
        ("1", "provision", "- → 1.10.0", "done"),
    ]
    assert lines[4:] == ["What a run printed:", "  rigger logs 3"]
    runs = json.loads(provisioned.rigger("history", "-o", "json").out)["runs"]
    assert [run["command"] for run in runs] == ["provision", "check", "destroy"]
    assert [(step["step"], step["exit_code"]) for step in runs[1]["steps"]] == [("check", 0), ("check", 1)]
    assert runs[0]["by"] and runs[0]["configured_version"] == "1.10.0"


def test_it_fits_a_terminal_and_says_where_the_rest_is(cluster):
    cluster.script("provider", "install", "exit 1")
    cluster.rigger("provision", code=5, env={"USER": "somebody-with-a-name-that-is-quite-long"})
    lines = screen(cluster.rigger, "history")
    assert all(len(line) <= 80 for line in lines) and lines[1].endswith("…")
    assert lines[2:4] == ["  In full, where this is cut (…):", "    rigger history -o json"]
    assert "…" not in cluster.rigger("history").out and "quite-long" in cluster.rigger("history").out


@pytest.mark.slow
def test_logs_of_a_run_and_of_a_step(cluster):
    cluster.script("provider", "create", "echo the create of this run")
    cluster.script("platform", "deploy", "printf '\\377 bytes\\n'")
    cluster.rigger("provision")
    cluster.script("platform", "check", "echo only a check")
    cluster.rigger("check")
    assert "only a check" in cluster.rigger("logs").out and "the create" not in cluster.rigger("logs").out
    first = json.loads(cluster.rigger("history", "-o", "json").out)["runs"][0]["run"]
    assert "the create of this run" in cluster.rigger("logs", first).out
    for step in ("create", "2", "02", "02-create", "provider/soil/create"):
        assert cluster.rigger("logs", first, step).out.splitlines()[1:] == ["the create of this run"], step
    found = json.loads(cluster.rigger("logs", first, "deploy", "-o", "json").out)["logs"]
    with open(found[0]["log"], "rb") as log:
        assert log.read() == b"\xff bytes\n"
    assert "no run 'none'" in cluster.rigger("logs", "none", code=2).err
    assert "no step 'sow'" in cluster.rigger("logs", first, "sow", code=2).err


def test_a_log_that_is_gone(provisioned):
    run = os.listdir(provisioned.file("runs"))[0]
    os.unlink(provisioned.file("runs", run, "02-create.log"))
    assert "no log: 02-create.log" in provisioned.rigger("logs").out


def test_the_audit_log_is_verified(provisioned):
    said = provisioned.rigger("audit").out
    assert "records, unbroken. Head:" in said
    found = json.loads(provisioned.rigger("audit", "-o", "json").out)
    assert found["records"] == len(provisioned.records()) and found["problems"] == []
    lines = provisioned.content("audit.jsonl").splitlines(keepends=True)
    with open(provisioned.file("audit.jsonl"), "w") as file:
        file.writelines(lines[:2] + lines[3:])
    failed = provisioned.rigger("audit", "-o", "json", code=8)
    assert "line 3" in failed.err and json.loads(failed.out)["problems"]
