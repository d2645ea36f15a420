"""What makes a value valid."""

import string

import pytest
from helpers.interviews import interview
from hypothesis import given, settings
from hypothesis import strategies as st

from rigger.questions.model import TYPES, BadAnswer, Choice, Question
from rigger.questions.validate import validate
from rigger.values import replace


@pytest.mark.parametrize(
    "fields, text, value",
    [
        ({"type": "integer"}, " 007 ", "7"),
        ({"type": "integer", "min": -5}, "-5", "-5"),
        ({"type": "confirm"}, "Yes", "true"),
        ({"type": "confirm"}, "off", "false"),
        ({"type": "checkbox", "choices": (Choice("a"), Choice("b"))}, "b, a,,b", "b,a"),
        ({"type": "select", "choices": (Choice("a"),), "pattern": r"v\d"}, "v2", "v2"),
        ({"pattern": "[a-z]+"}, "abc", "abc"),
        ({"optional": True}, "", ""),
        ({"default": ""}, "", ""),
        ({}, " spaces stay ", " spaces stay "),
        ({}, "caf\xe9\udcff", "caf\xe9\udcff"),
    ],
)
def test_accepted(fields, text, value):
    assert validate(Question("X", "?", **fields), text) == value


@pytest.mark.parametrize(
    "fields, text, says",
    [
        ({}, "", "X must not be empty"),
        ({"type": "integer"}, "4.5", "whole number"),
        ({"type": "integer"}, "\u0664", "whole number"),  # a digit, of another script
        ({"type": "integer"}, "9" * 5000, "whole number"),
        ({"type": "integer", "min": 3}, "2", "at least 3"),
        ({"type": "integer", "max": 9}, "10", "at most 9"),
        ({"type": "confirm"}, "maybe", "yes or no"),
        ({"type": "select", "choices": (Choice("local"), Choice("aws"))}, "locl", "did you mean local"),
        ({"type": "select", "choices": (Choice("a"),), "pattern": r"v\d"}, "w2", "one of a"),
        ({"type": "checkbox", "choices": (Choice("a"),)}, "a,z", "not 'z'"),
        ({"type": "checkbox", "choices": (Choice("a"),)}, ",", "must not be empty"),
        ({"type": "ssh-key"}, "/nowhere/key", "no file /nowhere/key"),
        ({"pattern": "[a-z]+"}, "abc\n", "does not match"),
        ({"type": "secret", "pattern": "[a-z]+"}, "hunter2", "(hidden)"),
        ({}, "a\0b", "NUL"),
        ({}, "x" * 200_000, "longer"),
    ],
)
def test_refused(fields, text, says):
    with pytest.raises(BadAnswer) as caught:
        validate(Question("X", "?", **fields), text)
    assert says in caught.value.message
    assert caught.value.exit_code == 2
    assert "hunter2" not in caught.value.message


def test_paths_are_stored_whole(private_home, tmp_path, monkeypatch):
    path = Question("DIR", "?", type="path")
    monkeypatch.chdir(tmp_path)
    assert validate(path, "~/a/../b") == f"{private_home}/b"
    assert validate(path, "x") == f"{tmp_path}/x"


CHARACTERS = string.printable + "\x1b\x07\x00\x9b\u202e\u2028é漢\udc80\udcff"
HOSTILE = st.text(st.sampled_from(CHARACTERS), max_size=60) | st.text(max_size=20)


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
def test_no_value_breaks_a_question(text):
    for kind in TYPES:
        question = Question("X", "?", type=kind, choices=(Choice("a"),), optional=True)
        try:
            once = validate(question, text)
        except BadAnswer as problem:
            assert problem.message.endswith(".")
        else:
            assert validate(question, once) == once, "what was accepted is accepted again"


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
def test_a_value_is_never_taken_for_a_template(text):
    talk = interview(Question("X", "?"), Question("Y", "?", default="{{ X }}!"))
    try:
        talk.answer(talk.advance(), text)
    except BadAnswer:
        return
    assert talk.values() == {"X": text}
    assert talk.default(talk.advance()) == f"{text}!"


def test_what_a_select_admits_beside_its_choices_is_said():
    choices = (Choice("3.5.1"), Choice("3.5.0"))
    version = Question("VERSION", "Which?", type="select", choices=choices, pattern=r"3\.[456]\.\d+")
    with pytest.raises(
        BadAnswer, match=r"must be one of 3\.5\.1, 3\.5\.0, or what matches 3\\\.\[456\]"
    ) as caught:
        validate(version, "9.9")
    assert "not '9.9'" in caught.value.message
    assert validate(version, "3.4.20") == "3.4.20"
    with pytest.raises(BadAnswer, match="must be one of 3.5.1, 3.5.0, or an older one, not"):
        validate(replace(version, also="an older one"), "9.9")
