"""What to type after a step that failed, or a run that was stopped."""

import pytest

from rigger.modules.model import Module
from rigger.plans.model import Plan, Step
from rigger.runs.ways_on import after_failure, after_interrupt

FILE = {"RIGGER_BACKUP_FILE": "/a folder/f.backup"}


def step(verb):
    return Step(Module("tree", "platform", "/m/tree"), verb, "")


@pytest.mark.parametrize("command", ["backup", "suspend", "resume", "destroy", "setup-clients", "test smoke"])
def test_the_same_command_goes_on(command):
    plan = Plan(command, (step("x"),))
    assert f'type "rigger {command}"' in after_failure(plan, plan.steps[0], "run-1")
    assert '"rigger logs run-1"' in after_failure(plan, plan.steps[0], "run-1")
    assert after_interrupt(plan) == f'Type "rigger {command}" to go on.'


def test_a_restore_needs_its_file():
    plan = Plan("restore", (step("restore"),), environ=FILE)
    assert "rigger restore '/a folder/f.backup'" in after_failure(plan, plan.steps[0], "run-1")


def test_a_provision_repeats_nothing():
    plan = Plan("provision", (step("deploy"), step("check")))
    assert "goes on with this step" in after_failure(plan, plan.steps[0], "run-1")
    assert '"rigger status"' in after_failure(plan, plan.steps[1], "run-1")
    assert "finished steps are not repeated" in after_interrupt(plan)
