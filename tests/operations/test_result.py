"""What an operation came to, as data."""

import json

from rigger.modules.model import Module
from rigger.operations.result import Data, RunResult
from rigger.plans.model import Step
from rigger.runs.result import StepResult


def step(verb, exit_code=0) -> StepResult:
    module = Module("soil", "provider", "/nowhere")
    return StepResult(Step(module, verb, "to see"), exit_code, 1.23456, f"/runs/{verb}.log")


def test_a_report_stands_between_what_is_known_before_and_after():
    result = RunResult("wood", "r1", (step("create"), step("check", 3)), {"plan": 1}, {"leftovers": []})
    report = result.as_dict()
    assert [*report] == ["plan", "run", "seconds", "steps", "leftovers"] and "wood" not in report.values()
    assert json.loads(json.dumps(report)) == report
    assert [(each["step"], each["good"], each["seconds"]) for each in report["steps"]] == [
        ("create", True, 1.235),
        ("check", False, 1.235),
    ]


def test_where_nothing_was_started_there_is_an_empty_run():
    assert RunResult("wood").as_dict() == {"run": "", "seconds": 0.0, "steps": []}


def test_data_is_its_report_and_shows_it_to_nobody():
    data = Data({"TOKEN": "a-secret-token"})
    assert data.as_dict() == {"TOKEN": "a-secret-token"} and "a-secret-token" not in repr(data)
