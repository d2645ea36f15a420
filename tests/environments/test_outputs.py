"""What steps gave, and the answers that it hides."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigger.environments.outputs import Given, Hidden, Outputs, parsed

NAMES = st.sampled_from(["A", "B", "C"])
VALUES = st.dictionaries(NAMES, st.text(max_size=3))
STEPS = st.sampled_from(["provider/soil/create", "platform/tree/deploy"])
CREATE = "provider/soil/create"


def given_once(answer="a", value="x.a", **more):
    return Outputs().give(
        CREATE, {"A": value}, seen={"A": answer}, held={"A": answer}, before={"A": answer}, asked={"A"}
    )


def test_an_output_hides_an_answer_and_any_other_is_just_one():
    outputs = Outputs().give(
        CREATE, {"A": "x.a", "M": "1"}, seen={"A": "a"}, held={"A": "a"}, before={"A": "a"}, asked={"A"}
    )
    assert outputs.steps == {"A": CREATE, "M": CREATE}
    assert outputs.hidden == {"A": Hidden("a", (Given(CREATE, "x.a", "a"),), "a")}
    assert outputs.answers({"A": "x.a", "M": "1"}) == {"A": "a", "M": "1"}
    assert outputs.over({"A": "a", "M": "1"}) == {"A": "x.a", "M": "1"}


def test_what_a_step_gives_back_as_it_got_it_is_no_output():
    assert given_once(value="a") == Outputs()


def test_a_value_that_somebody_wrote_is_an_answer_and_one_that_a_crash_left_is_none():
    outputs = given_once()
    assert outputs.in_force({"A": "x.a"}) == outputs
    assert outputs.in_force({"A": "a"}) == outputs  # killed between the two files
    assert outputs.in_force({"A": "mine"}) == Outputs() == outputs.in_force({})


def test_what_was_made_of_another_answer_is_not_fresh():
    outputs = given_once()
    assert outputs.fresh({"A": "a"}) == outputs and outputs.fresh({"A": "b"}) == Outputs()


def test_another_answer_leaves_what_a_step_gave_under_its_name_and_no_other_output():
    outputs = Outputs({"M": CREATE, **given_once().steps}, given_once().hidden)
    after = outputs.answered({"A": "b", "M": "2"}, {"A": "x.a", "M": "1"})
    assert after.hidden["A"].answer == "b" and after.over({"A": "b"}) == {"A": "x.a"}
    assert after.steps == {"A": CREATE}
    assert outputs.answered({}, {}).hidden["A"].answer is None


def test_secrets_have_a_part_of_their_own():
    plain, secret = given_once().parts({"A"})
    assert plain.hidden == {} and plain.steps == {"A": CREATE}
    assert secret.hidden == given_once().hidden and secret.steps == {}
    assert given_once().secrets({"A", "B"}) == ["a", "x.a"]


def test_paths_move():
    outputs = given_once("/old/a", "/old/x").moved(lambda value: value.replace("/old", "/new"))
    assert outputs.hidden["A"] == Hidden("/new/a", (Given(CREATE, "/new/x", "/new/a"),), "/new/a")


@pytest.mark.slow
@given(st.lists(st.tuples(STEPS, VALUES), max_size=5), VALUES, st.frozensets(NAMES))
def test_whatever_is_given_answers_stay_and_are_read_back(runs, answers, asked):
    outputs, stored = Outputs(), {**answers}
    for step, new in runs:
        before = outputs.answers(stored)
        outputs = outputs.give(step, new, seen=stored, held=answers, before=before, asked=asked)
        stored = outputs.over({**before, **{n: v for n, v in new.items() if n not in asked}})
        assert {n: v for n, v in outputs.answers(stored).items() if n in asked} == {
            n: v for n, v in answers.items() if n in asked
        }
        assert outputs.in_force(stored) == outputs == parsed(json.loads(json.dumps(outputs.as_dict())))


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"steps": {}, "hidden": []},
        {"steps": {"A": 1}, "hidden": {}},
        {"steps": {"not a name": "x"}, "hidden": {}},
        {"steps": {}, "hidden": {"A": {"answer": "a", "was": None, "given": []}}},
        {"steps": {}, "hidden": {"A": {"answer": 1, "was": None, "given": [["s", "v", None]]}}},
        {"steps": {}, "hidden": {"A": {"answer": "a", "was": None, "given": [["s", "v"]]}}},
    ],
)
def test_anything_else_is_no_record(content):
    with pytest.raises(ValueError):
        parsed(content)
