"""What was agreed to beforehand, what a person is asked, and what is said where nobody can be."""

import pytest
from helpers.without_terminal import Person
from hypothesis import given
from hypothesis import strategies as st

from rigger.errors import BadUsage, Declined
from rigger.operations.consent import Consent
from rigger.questions.model import Choice

NOBODY = Consent()


class Typist(Person):
    """Somebody who types one of the answers of a list when a text has to be typed back."""

    def type_back(self, text, expected):
        return self._answer(text) == expected


def test_yes_agrees_to_all_that_is_about_to_be_done():
    agreed = Consent(yes=True)
    agreed.agree("Go on?")
    agreed.agree_by_name("Type wood to destroy it", "wood")
    with pytest.raises(BadUsage, match="and there is no terminal"):
        agreed.trust_scripts("rigger has to ask if they may run, and there is no terminal.")


def test_trust_agrees_to_scripts_alone():
    trusting = Consent(trust=True)
    trusting.trust_scripts("rigger has to ask if they may run, and there is no terminal.")
    with pytest.raises(BadUsage):
        trusting.agree("Go on?")


@pytest.mark.parametrize("ask", [Consent.agree, lambda it, text: it.agree_by_name(text, "wood")])
def test_where_nobody_can_be_asked_the_question_is_named_and_the_option(ask):
    with pytest.raises(BadUsage, match=r"^There is no terminal to ask on: Suspend it\?$") as caught:
        ask(NOBODY, "Suspend it?")
    assert caught.value.next_step == "Nothing was changed. Add --yes to agree beforehand."
    assert not NOBODY.can_ask


def test_a_person_agrees_or_stops_it():
    person = Person(True, False)
    consent = person.consent()
    consent.agree("Go on?")
    with pytest.raises(Declined, match="Nothing was changed"):
        consent.agree("Really?")
    assert person.asked == ["Go on?", "Really?"] and consent.can_ask


def test_what_cannot_be_undone_has_to_be_typed():
    person = Typist("wood", "woods")
    person.consent().agree_by_name("Type wood", "wood")
    with pytest.raises(Declined, match="That is not its name"):
        person.consent().agree_by_name("Type wood", "wood")


def test_scripts_of_somebody_else_are_agreed_to_apart():
    person = Person(True, False)
    consent = person.consent(yes=True)
    consent.trust_scripts("unasked")
    with pytest.raises(Declined, match="Nothing was changed"):
        consent.trust_scripts("unasked")
    assert person.asked == ["May they run on this machine, as you?"] * 2
    with pytest.raises(BadUsage, match="^They came by night.$") as caught:
        NOBODY.trust_scripts("They came by night.")
    assert caught.value.next_step == "Look at them, then add --trust to agree."


def test_one_of_several_is_chosen_or_the_given_error_is_raised():
    choices = [Choice("a"), Choice("b")]
    assert Person("b").consent().choose("Which?", choices, "a", BadUsage("")) == "b"
    unasked = BadUsage("Which? Nobody knows.")
    with pytest.raises(BadUsage) as caught:
        NOBODY.choose("Which?", choices, "a", unasked)
    assert caught.value is unasked


# A passphrase


def test_a_file_comes_before_the_variable_and_that_before_a_person(tmp_path, monkeypatch):
    (tmp_path / "pass").write_bytes(b"of the file\r\nand more\n")
    person = Person("of the person")
    assert person.consent().passphrase(None, "Which?") == "of the person"
    monkeypatch.setenv("RIGGER_PASSPHRASE", "of the variable")
    assert NOBODY.passphrase(None, "Which?") == "of the variable"
    assert NOBODY.passphrase(str(tmp_path / "pass"), "Which?") == "of the file"
    assert person.asked == ["Which?"]


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))
def test_the_first_line_of_a_file_is_the_passphrase_whatever_stands_in_it(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "passphrase"
    path.write_bytes(f"{text}\nnext".encode())
    assert NOBODY.passphrase(str(path), "Which?") == text


def test_a_passphrase_that_cannot_be_had(tmp_path):
    with pytest.raises(BadUsage, match=r"nowhere cannot be read: No such file or directory\."):
        NOBODY.passphrase(str(tmp_path / "nowhere"), "Which?")
    with pytest.raises(BadUsage, match="There is no terminal to ask on: Which") as caught:
        NOBODY.passphrase(None, "Which?")
    assert caught.value.next_step == "Give --passphrase-file FILE, or RIGGER_PASSPHRASE."


def test_a_new_passphrase_is_typed_twice():
    assert Person("a", "a").consent().passphrase(None, "Which?", twice=True) == "a"
    person = Person("a", "b")
    with pytest.raises(BadUsage, match="The two are not the same"):
        person.consent().passphrase(None, "Which?", twice=True)
    assert person.asked == ["Which?", "The same again?"]
