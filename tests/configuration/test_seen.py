"""Which value a step sees under the name of an answer."""

import pytest

from rigger.configuration.seen import seen_by
from rigger.environments.outputs import Given, Hidden, Outputs

CREATED = Given("provider/soil/create", "created", "answer")
DEPLOYED = Given("platform/tree/deploy", "deployed", "answer")
TESTED = Given("platform/tree/tests/smoke", "tested", "answer")
OUTPUTS = Outputs({"A": TESTED.step}, {"A": Hidden("answer", (CREATED, DEPLOYED, TESTED))})


@pytest.mark.parametrize(
    "role, verb, value",
    [
        ("provider", "install", "answer"),
        ("platform", "prepare", "answer"),
        ("provider", "create", "answer"),
        ("provider", "plan", "answer"),
        ("provider", "leaving", "answer"),
        ("provider", "resume", "answer"),
        ("platform", "install", "created"),
        ("platform", "deploy", "created"),
        ("platform", "upgrade-graceful", "created"),
        ("platform", "check", "deployed"),
        ("platform", "tests/smoke", "deployed"),
        ("platform", "tests/other", "tested"),
        ("provider", "destroy", "tested"),
        ("provider", "", "tested"),
    ],
)
def test_each_step_sees_what_those_before_it_gave(role, verb, value):
    assert seen_by(OUTPUTS, role, verb, {"A": "answer"}) == {"A": value}


def test_what_makes_a_cluster_sees_nothing_of_another_answer():
    assert seen_by(OUTPUTS, "platform", "deploy", {"A": "new"}) == {"A": "new"}
    assert seen_by(OUTPUTS, "provider", "destroy", {"A": "new"}) == {"A": "tested"}


def test_where_nothing_was_answered_there_is_none():
    outputs = Outputs({"A": CREATED.step}, {"A": Hidden(None, (Given(CREATED.step, "made"),))})
    assert seen_by(outputs, "provider", "create", {}) == {"A": None}
    assert seen_by(outputs, "platform", "deploy", {}) == {"A": "made"}
