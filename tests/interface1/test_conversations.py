"""The runs of config.sh in one configure: one of each provider that a person tries."""

import os

import pytest

from rigger.environments.home import Home
from rigger.errors import StepFailed
from rigger.interface1 import record
from rigger.interface1.conversations import Conversations
from rigger.modules import interface1
from rigger.modules.model import Module
from rigger.questions.sources import Sources

TREE = Module("tree", "platform", "/tree", prefix="OAK")
CONFIG = """
    prompt "Who owns it?" OWNER
    prompt "Which token?" TOKEN
    export WHERE="$OAK_ROOT/keys" TAG="$OWNER-$OAK_ID" NEXT="$TOKEN"
"""


@pytest.fixture
def provider(tmp_path):
    """Write a provider of interface 1 whose config.sh this is."""

    def write(config=CONFIG, name="toy"):
        folder = tmp_path / "oak" / "contrib" / name
        folder.mkdir(parents=True)
        for verb in interface1.VERBS:
            (folder / verb).write_text("#!/bin/sh\n")
            (folder / verb).chmod(0o755)
        (folder / "config.sh").write_text(config)
        return interface1.load(str(folder))

    return write


@pytest.fixture
def wood(tmp_path):
    return Home(str(tmp_path / "home")).create("wood", {"OAK_ID": "0123456789"}, {})


@pytest.fixture
def begin(wood):
    """Begin a configure of the environment; what is said and printed stands in lists."""
    begun = []

    def make(sourced=(), **sources):
        sources = {"environ": dict(os.environ), "saved": wood.values(), **sources}
        talk = Conversations(
            wood, Sources(**sources), begun_says.append, lambda block: None, None, dict(sourced)
        )
        begun.append(talk)
        return talk

    begun_says = []
    yield make
    for talk in begun:
        talk.close()


def ask(talk, provider, **values):
    questions, whole = talk.questions(provider, TREE, values)
    return [question.name for question in questions], whole


ANSWERS = {"OWNER": "me", "TOKEN": "hush-hush"}


def test_it_asks_as_far_as_it_is_answered(begin, provider):
    talk, toy = begin(), provider()
    assert ask(talk, toy) == (["OWNER"], False)
    assert ask(talk, toy, OWNER="me") == (["OWNER", "TOKEN"], False)
    assert ask(talk, toy, **ANSWERS) == (["OWNER", "TOKEN"], True)
    assert [question.type for question in talk.asked(toy)[0]] == ["text", "secret"]


def test_before_it_has_begun_what_is_recorded_is_all(begin, provider):
    assert begin().asked(provider()) == ((), True)


def test_another_provider_has_a_conversation_of_its_own(begin, provider):
    talk, toy, other = begin(), provider(), provider('prompt "Which?" OTHER\n', "other")
    ask(talk, toy, OWNER="me")
    assert ask(talk, other) == (["OTHER"], False)
    assert talk.asked(toy)[0][1].name == "TOKEN" and talk.names(other) == {"OTHER"}


def test_what_it_gave_is_stored_with_the_id_and_where_the_checkout_will_lie(begin, provider, tmp_path):
    talk, toy = begin(), provider()
    ask(talk, toy, **ANSWERS)
    values = dict(ANSWERS)
    talk.add_to(values, toy, TREE, {*ANSWERS}, "/home/checkout")
    assert values == {
        **ANSWERS, "WHERE": "/home/checkout/keys", "TAG": "me-0123456789", "NEXT": "hush-hush", "OAK_ID": "0123456789",
    }  # fmt: skip
    assert talk.names(toy) == {*ANSWERS, "WHERE", "TAG", "NEXT"}


def test_what_was_decided_otherwise_stays(begin, provider):
    talk, toy = begin(), provider()
    ask(talk, toy, **ANSWERS)
    values = {**ANSWERS, "TAG": "mine"}
    talk.add_to(values, toy, TREE, {"TAG"})
    assert values["TAG"] == "mine"


def test_what_holds_an_answer_to_a_secret_question_is_secret(begin, provider):
    talk, toy = begin(), provider()
    ask(talk, toy, **ANSWERS)
    assert talk.secret_names(toy) == {"NEXT"} and talk.secret_names(None) == set()


def test_an_environment_without_an_id_gets_one_for_the_whole_conversation(begin, provider):
    talk, toy = begin(saved={}), provider()
    ask(talk, toy, **ANSWERS)
    values = dict(ANSWERS)
    talk.add_to(values, toy, TREE, set())
    assert len(values["OAK_ID"]) == 10 and values["TAG"] == f"me-{values['OAK_ID']}"


def test_what_a_shell_sourced_is_not_what_a_person_says_now(begin, provider):
    environ = {**os.environ, "OWNER": "of the vars file", "TOKEN": "typed"}
    talk = begin(sourced={"OWNER": "of the vars file", "TOKEN": "old"}, environ=environ)
    assert "OWNER" not in talk.environ and talk.environ["TOKEN"] == "typed"


def test_the_next_time_it_begins_with_what_was_recorded(begin, provider, wood):
    first, toy = begin(), provider()
    ask(first, toy, **ANSWERS)
    values = {**ANSWERS}
    first.add_to(values, toy, TREE, set())
    first.record(wood, toy)
    wood.save(values, {})
    kept = record.recorded(wood, toy)
    assert [question.name for question in kept.questions] == ["OWNER", "TOKEN"]
    assert {*kept.given} == {"WHERE", "TAG", "NEXT"}
    with open(os.path.join(toy.folder, "config.sh"), "w") as file:
        file.write('prompt "Who owns it?" OWNER\n')
    again = begin(saved=wood.values())
    assert ask(again, toy, **ANSWERS) == (["OWNER"], True)
    values = dict(wood.values())
    again.add_to(values, toy, TREE, {"OWNER"})
    assert "TAG" not in values and "WHERE" not in values and values["OAK_ID"] == "0123456789"


def test_what_was_never_begun_gives_and_records_nothing(begin, provider, wood):
    talk, toy, values = begin(), provider(), {}
    talk.add_to(values, toy, TREE, set())
    talk.record(wood, toy)
    talk.pass_over("OWNER")
    assert values == {} and talk.names(toy) == set() and not os.path.exists(wood.file("modules"))


def test_without_an_answer_it_goes_on_to_find_out_what_else_is_asked(begin, provider):
    talk, toy = begin(), provider()
    ask(talk, toy)
    for name in ("OWNER", "TOKEN"):
        talk.pass_over(name)
        found = ask(talk, toy)
    assert found == (["OWNER", "TOKEN"], True) and talk.names(toy) == {"OWNER", "TOKEN"}


def test_one_that_fails_gives_nothing(begin, provider):
    talk, toy = begin(), provider('prompt "Who?" OWNER\nexit 3\n')
    ask(talk, toy)
    with pytest.raises(StepFailed, match="contrib/toy/config.sh exited 3; nothing was stored"):
        ask(talk, toy, OWNER="me")
