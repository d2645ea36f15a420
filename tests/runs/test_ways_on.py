"""What to type after a step that failed, or a run that was stopped."""

import pytest

from rigger.modules.model import Module
from rigger.plans.model import Plan, Step
from rigger.runs.result import StepResult
from rigger.runs.ways_on import after_failure, after_interrupt

FILE = {"RIGGER_BACKUP_FILE": "/a folder/f.backup"}


def step(verb):
    return Step(Module("tree", "platform", "/m/tree"), verb, "")


def failed(step):
    return StepResult(step, 1, 1.0, "", show_log="rigger logs 3 1")


@pytest.mark.parametrize("command", ["backup", "suspend", "resume", "destroy", "setup-clients", "test smoke"])
def test_the_same_command_goes_on(command):
    plan = Plan(command, (step("x"),))
    found = after_failure(plan, failed(plan.steps[0]))
    assert f"What it printed:\n  rigger logs 3 1\nCorrect that, then:\n  rigger {command}" == found
    assert after_interrupt(plan) == f"Resume:\n  rigger {command}"


def test_a_restore_needs_its_file():
    plan = Plan("restore", (step("restore"),), environ=FILE)
    assert "rigger restore '/a folder/f.backup'" in after_failure(plan, failed(plan.steps[0]))


def test_a_provision_repeats_nothing():
    plan = Plan("provision", (step("deploy"), step("check")))
    assert "resume with this step:\n  rigger provision" in after_failure(plan, failed(plan.steps[0]))
    assert "\n  rigger status" in after_failure(plan, failed(plan.steps[1]))
    assert "finished steps are not repeated" in after_interrupt(plan)
