"""How a step ended, in a sentence and in a report."""

import pytest

from rigger.modules.model import Module
from rigger.plans.model import Step
from rigger.runs.result import SKIPPED, StepResult, failures


def result(exit_code=0, verb="create", **fields):
    step = Step(Module("soil", "provider", "/m/providers/soil"), verb, "it is new")
    return StepResult(step, exit_code, 3.0, "/home/e/runs/1/02-create.log", **fields)


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (result(7), "exited 7 after 3.0 s."),
        (result(130, interrupted=True), "was interrupted after 3.0 s."),
        (
            result(1, lost=("node-1", "node-2")),
            "exited 1 after 3.0 s; node-1 and node-2 could not be reached.",
        ),
        (result(problems=("NODES is no name",)), "gave back what cannot be used: NODES is no name."),
        (result(143, timed_out=True), " and was stopped after 3.0 s."),
    ],
)
def test_a_failure_in_a_sentence(ended, words):
    assert not ended.good and failures([result(), ended]) == [ended]
    assert words in ended.describe()


def test_a_test_may_say_that_it_does_not_apply():
    assert result(SKIPPED, "tests/grows").skipped
    assert result(SKIPPED, "tests/grows").as_dict()["skipped"] is True
    assert "skipped" not in result().as_dict()
    assert not result(SKIPPED, "create").skipped
    assert not result(SKIPPED, "tests/grows", problems=("x",)).skipped


def test_figures_are_reported_where_there_are_any():
    assert "figures" not in result().as_dict()
    report = result(figures={"lost": "0"}, changed=("NODES",)).as_dict()
    assert report["figures"] == {"lost": "0"} and report["changed"] == ["NODES"] and report["good"] is True
