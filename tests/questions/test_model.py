"""A question, its choices, and an answer with its source."""

import pytest

from rigger.errors import BadUsage
from rigger.questions.model import TYPES, Answer, BadAnswer, Question, of_program, said_of


@pytest.mark.parametrize("kind", TYPES)
def test_only_a_secret_is_one(kind):
    assert Question("TOKEN", "?", type=kind).secret == (kind == "secret")


def test_how_a_question_is_answered_without_a_prompt():
    assert Question("NODES", "?").flag_form == "--set NODES="
    assert Question("PROVIDER", "?", flag="--provider").flag_form == "--provider"


def test_choices_of_a_program_are_live():
    assert Question("REGION", "?", choices_command="bin/regions").live and not Question("REGION", "?").live


def test_an_answer_does_not_show_its_value():
    assert "hush" not in repr(Answer("hush", "asked"))
    assert Answer("3", "asked") == Answer("3", "asked") != Answer("3", "default")


def test_what_a_program_said_goes_with_the_sentence():
    problem = of_program("REGION was not accepted: no such region.", "no such region", "Log in.")
    assert isinstance(problem, BadUsage) and (problem.cause, problem.next_step) == (
        "no such region",
        "Log in.",
    )
    assert BadAnswer("NODES must not be empty.").cause == ""


def test_a_problem_is_told_with_where_the_value_came_from():
    problem = of_program("REGION was not accepted: no such region.", "no such region", "Log in.")
    told = said_of(problem, "from $RIGGER_REGION")
    assert told.message == "REGION was not accepted: no such region (from $RIGGER_REGION)."
    assert (told.cause, told.next_step) == (problem.cause, problem.next_step)
