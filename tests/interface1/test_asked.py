"""A question as config.sh asks it, as one of rigger's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigger import templates
from rigger.errors import StepFailed
from rigger.interface1.asked import question_of


def question(kind="text", name="OWNER", text="Who?", default="", options=(), environ=()):
    return question_of(
        kind, name, text, default, options, environ=environ, origin="contrib/toy/config.sh", folder="/toy"
    )


def test_a_question_is_stored_whatever_its_default():
    found = question(default="me")
    assert (found.name, found.ask, found.type, found.default) == ("OWNER", "Who?", "text", "me")
    assert found.pinned and (found.origin, found.folder) == ("contrib/toy/config.sh", "/toy")


def test_nothing_is_no_default_and_a_question_without_words_has_its_name():
    assert question().default is None and question(text="").ask == "OWNER?"


def test_its_own_variable_counts_where_it_is_set():
    assert question(environ={"OWNER": "me"}).env == ("OWNER",)
    assert question(environ={"OTHER": "me"}).env == ()


@pytest.mark.parametrize(
    ("kind", "name", "type"),
    [
        ("text", "DB_PASSWORD", "secret"),
        ("text", "TF_VAR_do_token", "secret"),
        ("text", "AWS_ACCESS_KEY_ID", "secret"),
        ("text", "TOKENS", "text"),
        ("text", "KEYBOARD", "text"),
        ("select", "TOKEN", "select"),
        ("ssh-key", "SECRET", "ssh-key"),
    ],
)
def test_credentials_asked_in_the_open_are_told_by_their_names(kind, name, type):
    assert question(kind, name, options=["a"]).type == type


def test_a_key_that_is_missing_is_made_as_one_of_that_time():
    assert question("ssh-key", "KEY").make == "rsa" and question().make == ""


@pytest.mark.parametrize(
    ("default", "number"),
    [("2", "2"), ("02", "2"), ("large", "2"), ("", "1"), ("0", "1"), ("3", "1"), ("huge", "1"), ("-1", "1")],
)
def test_the_default_of_a_choice_is_a_number_or_the_option_itself(default, number):
    found = question("select", default=default, options=["small", "large"])
    assert found.default == number
    assert [(choice.value, choice.description) for choice in found.choices] == [
        ("1", "small"),
        ("2", "large"),
    ]


def test_a_choice_among_nothing():
    with pytest.raises(StepFailed) as failed:
        question("select", "SIZE")
    assert failed.value.message == "contrib/toy/config.sh asks for SIZE with no options to choose from."


@given(st.text(st.sampled_from("ab{}%#'\"\\\n ä$")))
def test_a_default_is_a_text_and_no_template(text):
    found = question(default=text).default
    assert text == ("" if found is None else templates.render(found, {}, "default"))
