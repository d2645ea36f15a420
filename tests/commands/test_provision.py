"""rigger provision"""

import json
import os
import sys

import pexpect
import pytest
from helpers.clusters import ended, wait_for

NOISE = "for n in 1 2 3; do echo '{not json'; echo words >&2; done\nprintf 'no newline'\n"


def test_the_plan_is_shown_and_nothing_is_done(cluster):
    shown = cluster.rigger("provision", "--plan").out
    assert "providers/soil/create" in shown and "platforms/tree/deploy" in shown and "first time" in shown
    assert "nothing was done" in shown
    assert cluster.ran() == []
    assert not os.path.exists(cluster.file("runs"))


def test_exit_code_8_when_something_would_change(cluster):
    assert "Something would change" in cluster.rigger("provision", "--plan", "--exit-code", code=8).err
    cluster.rigger("provision")
    cluster.rigger("provision", "--plan", "--exit-code", code=0)
    cluster.rigger("config", "set", "COLOUR=red")
    cluster.rigger("provision", "--plan", "--exit-code", code=8)
    cluster.rigger("provision", "--plan", code=0)


def test_a_plan_that_shows_changes_has_not_failed(cluster):
    cluster.script("provider", "plan", "echo two machines would be made; exit 8")
    said = cluster.rigger("provision", "--plan")
    assert "two machines would be made" in said.out and "found differences in" in said.out
    assert "fail" not in said.out + said.err and "could not be shown" not in said.err
    [run] = json.loads(cluster.rigger("history", "-o", "json").out)["runs"]
    assert run["outcome"] == "done" and "plan found differences" in cluster.rigger("status").out
    cluster.script("provider", "plan", "exit 3")
    assert "What would change could not be shown: " in cluster.rigger("provision", "--plan").out
    assert cluster.rigger("status").out.count("plan failed") == 1


def test_the_plan_as_json(cluster):
    plan = json.loads(cluster.rigger("provision", "--plan", "--exit-code", "-o", "json", code=8).out)
    assert plan["command"] == "provision" and plan["changes"] is True
    assert plan["steps"][1] == {
        "module": "provider/soil",
        "step": "create",
        "script": os.path.join(cluster.folders["provider"], "create"),
        "why": "first time",
    }


def test_the_report_as_json_stands_alone_on_standard_output(cluster):
    cluster.script("provider", "create", NOISE)
    said = cluster.rigger("provision", "-o", "json")
    report = json.loads(said.out)
    assert [step["step"] for step in report["steps"]] == ["install", "create", "install", "deploy", "check"]
    assert all(step["good"] for step in report["steps"])
    assert "words" in said.err and "{not json" in said.err


def test_the_report_as_json_of_a_failure(cluster):
    cluster.script("provider", "create", NOISE + "exit 7")
    said = cluster.rigger("provision", "-o", "json", code=5)
    report = json.loads(said.out)
    assert [(step["step"], step["good"], step["exit_code"]) for step in report["steps"]] == [
        ("install", True, 0),
        ("create", False, 7),
    ]
    with open(report["steps"][1]["log"]) as log:
        assert "no newline" in log.read()


def test_without_a_terminal_lines_come_out_as_they_appear(cluster):
    cluster.script("provider", "create", "echo from the script; printf 'and no newline'")
    lines = cluster.rigger("provision").out.splitlines()
    at = lines.index("from the script")
    assert lines[at - 1].startswith("==> 2/5 soil create")
    assert lines[at + 1] == "and no newline"
    assert lines[at + 2].strip().startswith("done in")


@pytest.mark.slow
def test_an_environment_is_chosen_before_or_after_the_verb(cluster):
    cluster.configure("--name", "other")
    for words in (
        ["-e", "wood", "provision"],
        ["provision", "-e", "wood"],
        ["provision", "--environment", "wood"],
    ):
        assert cluster.rigger(*words, "--plan").out.startswith("  1.")
        assert json.loads(cluster.rigger(*words, "--plan", "-o", "json").out)["steps"]
    cluster.rigger("-e", "wood", "provision")
    assert os.path.exists(cluster.file("runs")) and not os.path.exists(
        cluster.rigger.path("environments", "other", "runs")
    )
    cluster.rigger("provision", env={"RIGGER_ENVIRONMENT": "other"})
    assert os.path.exists(cluster.rigger.path("environments", "other", "runs"))


def test_an_environment_that_does_not_exist(cluster, rigger):
    refused = rigger("provision", "-e", "wod", code=3)
    assert "no environment named 'wod' (did you mean wood?)" in refused.err and "Known: wood." in refused.err


def test_before_there_is_any_environment(rigger):
    refused = rigger("provision", code=3)
    assert "There is no environment yet." in refused.err and "rigger configure" in refused.err


def test_a_module_that_went_away(provisioned):
    os.rename(provisioned.folders["platform"], provisioned.folders["platform"] + "-away")
    refused = provisioned.rigger("provision", code=3)
    assert "no platform named 'tree'" in refused.err and "RIGGER_PLATFORM_PATH" in refused.err


def on_a_terminal(cluster, *arguments):
    argv = [*cluster.rigger.argv[1:], *arguments]
    return pexpect.spawn(
        sys.executable, argv, env=cluster.rigger.env, cwd=cluster.rigger.folder, encoding="utf-8", timeout=20
    )


def test_a_terminal_shows_one_live_line_and_the_end_of_what_failed(cluster):
    cluster.script("provider", "create", "echo working hard; sleep 1; echo it broke; exit 3")
    child = on_a_terminal(cluster, "provision")
    child.expect("2/5 soil create  0:0[01]  working hard")
    child.expect(r"\| it broke")
    child.expect("providers/soil/create exited 3 after")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 5


@pytest.mark.slow
def test_removal_is_asked_for_on_a_terminal(provisioned):
    provisioned.rigger("config", "set", "NODES=1")
    child = on_a_terminal(provisioned, "provision")
    child.expect("1 machine will be removed with all its data: node-2")
    child.expect("Continue")
    child.sendline("n")
    child.expect("Nothing was changed")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 10
    assert provisioned.ran() == []


@pytest.mark.slow
def test_the_plan_of_the_machines_is_the_providers(cluster):
    look = 'echo "add droplet-1"; echo "RIGGER_LEAVING=$RIGGER_LEAVING"'
    cluster.script("provider", "plan", look)
    said = cluster.rigger("provision", "--plan").out
    assert "add droplet-1" in said and "\nOnly shown; nothing was done.\n" in said
    assert cluster.ran() == ["provider/plan"]
    # "It would change" is an answer, and no failure.
    cluster.script("provider", "plan", look + "\nexit 8")
    cluster.rigger("provision", "--plan", "--exit-code", code=8)
    said = cluster.rigger("provision", "--plan")
    assert "add droplet-1" in said.out and "could not be shown" not in said.out + said.err
    cluster.script("provider", "plan", "echo no credentials; exit 1")
    said = cluster.rigger("provision", "--plan")
    assert "no credentials" in said.out and "What would change could not be shown" in said.out + said.err
    cluster.rigger("provision")
    cluster.ran()
    # Where create would not run, there is nothing to look at.
    cluster.rigger("config", "set", "COLOUR=red")
    cluster.rigger("provision", "--plan")
    assert cluster.ran() == []
    assert "provider/create" not in cluster.rigger("history").out


@pytest.mark.slow
def test_the_plan_is_shown_while_another_command_runs(cluster):
    cluster.script("provider", "plan")
    cluster.script("provider", "install", "exec sleep 60")
    running = cluster.rigger.start("provision")
    wait_for(lambda: cluster.ran() == ["provider/install"])
    try:
        said = cluster.rigger("provision", "--plan")
        assert "provider" in said.out and "cannot be looked at now" in said.out + said.err
    finally:
        running.terminate()
        ended(running)
