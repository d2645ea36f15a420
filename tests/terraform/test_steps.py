"""The life of a cluster whose provider is a folder of .tf files."""

import os
import stat
import threading

import pytest
from helpers.terraform_provider import needs_terraform

from rigger.errors import Interrupted, RiggerError, StepFailed
from rigger.terraform import runner, steps

pytestmark = needs_terraform


# The life of a cluster


@pytest.mark.slow
def test_from_nothing_to_nodes_and_back(clay):
    clay.run(steps.check)
    assert "Nothing was made yet." in clay.text
    clay.run(steps.destroy)
    assert "Nothing was made." in clay.text

    clay.create(TOKEN="sesame-4711")
    assert "# terraform_data.node[0] will be created" in clay.text  # as people read a plan
    assert clay.said[-2].startswith("2 of 2: terraform_data.node[")
    assert clay.nodes() == ["node-1", "node-2"]
    assert clay.given()["GREETING_BACK"] == "hello" and clay.given()["ZONES"] == "a,c"
    assert clay.given("SECRETS_OUTPUT") == {"PASS": "open-sesame-4711"}
    assert stat.S_IMODE(os.stat(clay.file("terraform.tfstate")).st_mode) == 0o600
    assert not os.path.exists(clay.file("last-apply.jsonl"))
    clay.run(steps.check)

    before = clay.state()
    clay.create(NODES="3")
    assert clay.nodes() == ["node-1", "node-2", "node-3"]
    assert clay.state(f"backups/terraform.tfstate.{before['serial']:06d}") == before
    clay.create(NODES="1")
    assert clay.nodes() == ["node-1"] and len(clay.made()) == 1
    clay.run(steps.destroy)
    assert clay.made() == [] and not os.path.exists(clay.workspace.data)
    for step in (steps.check, steps.destroy):
        clay.run(step)
        assert "Nothing was made" in clay.text and not os.path.exists(clay.workspace.data)


@pytest.mark.slow
def test_a_second_time_makes_nothing_and_needs_no_init(clay):
    noted = clay.stand_in('echo "$1" >>"$NOTED"; exec "$REAL" "$@"')
    clay.create()
    assert noted.read_text().split() == ["version", "init", "plan", "apply"]
    before = clay.bytes()
    noted.unlink()
    clay.create()
    assert noted.read_text().split() == ["version", "plan"] and clay.bytes() == before
    assert clay.given()["GREETING_BACK"] == "hello" and clay.nodes() == ["node-1", "node-2"]
    noted.unlink()
    clay.write("more.tf", 'resource "terraform_data" "more" { input = 1 }\n')
    clay.create()
    assert noted.read_text().split() == ["version", "init", "plan", "apply"]


@pytest.mark.slow
def test_drift_is_found_and_exits_8(clay):
    assert clay.run(steps.show_drift) == 0
    clay.create()
    assert clay.run(steps.show_plan) == 0 and clay.run(steps.show_drift) == 0
    state = clay.state()
    node = next(resource for resource in state["resources"] if resource["name"] == "node")
    del node["instances"][1]
    clay.put({**state, "serial": state["serial"] + 1})
    with pytest.raises(StepFailed, match="Something differs"):
        clay.run(steps.check)
    assert "# terraform_data.node[1] will be created" in clay.text
    assert clay.run(steps.show_plan) == 8 and clay.run(steps.show_drift) == 8


def test_the_modules_own_check_follows(clay):
    clay.write("check", "#!/bin/sh\ntest -e $HOME/good\n")
    os.chmod(os.path.join(clay.module, "check"), 0o755)
    with pytest.raises(StepFailed, match="own check exited 1"):
        clay.run(steps.check)
    open(os.path.join(clay.values["HOME"], "good"), "w").close()
    clay.run(steps.check)


def test_a_mistake_in_the_files_is_told_as_terraform_tells_it(clay):
    clay.write("wrong.tf", 'resource "terraform_data" "x" { input = var.nowhere }\n')
    with pytest.raises(StepFailed, match="terraform (init|plan) failed"):
        clay.create()
    assert "Reference to undeclared input variable" in clay.text
    os.unlink(os.path.join(clay.module, "wrong.tf"))
    clay.create()
    assert not os.path.exists(clay.file("wrong.tf"))


def test_the_saved_plan_is_what_is_applied(clay):
    """A stand-in changes the files after the plan; it runs the real Terraform."""
    clay.stand_in('"$REAL" "$@"; code=$?; [ "$1" != plan ] || sed -i s/var.nodes/9/ main.tf; exit $code')
    clay.create()
    assert len(clay.made()) == 2


def test_no_plan_is_left(clay):
    plan = clay.workspace.passing("plan")
    clay.write(
        "fails.tf", 'resource "terraform_data" "x" {\n  provisioner "local-exec" { command = "false" }\n}\n'
    )
    with pytest.raises(StepFailed, match="apply failed"):
        clay.create()
    assert "error: terraform_data.x: local-exec provisioner error" in clay.text
    assert not os.path.exists(plan) and len(clay.made()) == 3
    with open(plan, "w") as file:
        file.write("of a run that was killed")
    with pytest.raises(StepFailed, match="Something differs"):
        clay.run(steps.check)
    assert not os.path.exists(plan)
    clay.run(steps.destroy)
    assert clay.made() == []


# A backend that a team shares


def test_every_error_has_a_next_step(clay):
    clay.values["TERRAFORM_BACKEND"], clay.values["TERRAFORM_BACKEND_CONFIG"] = "http", "address"
    with pytest.raises(RiggerError, match="not of the form name=value"):
        clay.create()


def test_ctrl_c_between_two_commands_goes_no_further(clay, monkeypatch):
    monkeypatch.setattr(runner, "interrupted", threading.Event())
    clay.stand_in('[ "$1" = apply ] && touch "$NOTED"; exec "$REAL" "$@"')
    plan = runner.Terraform.plan

    def planned(*arguments, **options):
        changes = plan(*arguments, **options)
        runner.interrupted.set()
        return changes

    monkeypatch.setattr(runner.Terraform, "plan", planned)
    with pytest.raises(Interrupted):
        clay.create()
    assert not (clay.tmp_path / "noted").exists() and not os.path.exists(clay.workspace.passing("plan"))
