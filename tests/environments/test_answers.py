"""The answers of an environment beside the outputs that hide them."""

import os

import pytest

from rigger.environments.answers import answers_of, outputs_of, save_answers
from rigger.environments.environment import Environment
from rigger.environments.outputs import Outputs
from rigger.errors import InvalidConfig

CREATE = "provider/soil/create"


@pytest.fixture
def environment(tmp_path):
    made = Environment("demo", str(tmp_path), str(tmp_path))
    made.save({"DOMAIN": "a.test", "NODES": "3"}, {"TOKEN": "as answered"})
    return made


def give(environment, values, secret_names=()):
    before = answers_of(environment)
    outputs = outputs_of(environment).give(
        CREATE, values, seen=before, held=before, before=before, asked=values
    )
    environment.save_values(outputs.over(before), secret_names, outputs=outputs)


def test_both_are_there(environment):
    give(environment, {"DOMAIN": "x.a.test", "TOKEN": "as made"})
    assert environment.values() == {"DOMAIN": "x.a.test", "NODES": "3", "TOKEN": "as made"}
    assert answers_of(environment) == {"DOMAIN": "a.test", "NODES": "3", "TOKEN": "as answered"}
    with (
        open(environment.file("outputs.json")) as plain,
        open(environment.file("outputs.secrets.json")) as secret,
    ):
        assert "as made" not in plain.read() and "as answered" in secret.read()
    assert os.stat(environment.file("outputs.secrets.json")).st_mode & 0o77 == 0


def test_another_answer_does_not_undo_what_is_there(environment):
    give(environment, {"DOMAIN": "x.a.test"})
    save_answers(environment, {**answers_of(environment), "DOMAIN": "b.test", "NODES": "4"})
    assert environment.vars() == {"DOMAIN": "x.a.test", "NODES": "4"}
    assert answers_of(environment)["DOMAIN"] == "b.test"


def test_without_outputs_there_is_no_file_of_them(environment):
    save_answers(environment, {**answers_of(environment), "NODES": "5"})
    assert outputs_of(environment) == Outputs() and not os.path.exists(environment.file("outputs.json"))


def test_a_file_of_somebody_else_is_named(environment):
    with open(environment.file("outputs.json"), "w") as file:
        file.write("[]")
    with pytest.raises(InvalidConfig, match=r"outputs.json is not what rigger wrote"):
        outputs_of(environment)
