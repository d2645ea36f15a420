"""Where a value comes from, and which source goes first."""

import itertools

import pytest
from helpers.interviews import NODES, interview

from rigger.questions.model import Answer, BadAnswer, Question
from rigger.questions.sources import DRAFT, Sources

SOURCES = {
    "flags": {"NODES": "1"},
    "environ": {"RIGGER_NODES": "2"},
    "answers": {"NODES": "4"},
    "draft": {"NODES": "5"},
    "saved": {"NODES": "6"},
}


@pytest.mark.parametrize("first", range(len(SOURCES)))
def test_flag_before_environment_before_answers_before_draft_before_saved(first):
    rest = dict(itertools.islice(SOURCES.items(), first, None))
    talk = interview(NODES, **rest)
    assert talk.advance() is None
    assert talk.answers["NODES"].value == next(iter(next(iter(rest.values())).values()))


def test_the_source_of_a_value_is_told():
    def source(**sources):
        return Sources(**sources, answers_name="my.env", saved_name="old/vars").find(NODES).source

    assert source(flags={"NODES": "1"}) == "--set NODES"
    assert source(environ={"RIGGER_NODES": "1"}) == "$RIGGER_NODES"
    assert source(environ={"CLUSTER_SIZE": "1"}) == "$CLUSTER_SIZE"
    assert source(answers={"NODES": "1"}) == "my.env"
    assert source(draft={"NODES": "1"}) == DRAFT
    assert source(saved={"NODES": "1"}) == "old/vars"
    provider = Question("PROVIDER", "?", flag="--provider")
    assert Sources(flags={"PROVIDER": "aws"}).find(provider).source == "--provider"


def test_only_its_own_names_of_the_process_environment_count():
    assert Sources(environ={"NODES": "7"}).find(NODES) is None
    both = Sources(environ={"RIGGER_NODES": "1", "CLUSTER_SIZE": "2"})
    assert both.find(NODES) == Answer("1", "$RIGGER_NODES")


def test_a_native_name_set_to_nothing_is_not_set():
    assert Sources(environ={"CLUSTER_SIZE": ""}).find(NODES) is None
    assert Sources(environ={"CLUSTER_SIZE": ""}, saved={"NODES": "6"}).find(NODES).value == "6"
    assert Sources(environ={"RIGGER_NODES": ""}).find(NODES).value == ""


def test_a_bad_value_given_beforehand_is_an_error_that_names_its_source():
    with pytest.raises(BadAnswer, match=r"NODES must be at most 9, not 10 \(from \$CLUSTER_SIZE\)\.$"):
        interview(NODES, environ={"CLUSTER_SIZE": "10"}).advance()


def test_a_bad_saved_value_is_set_aside_and_asked_for():
    talk = interview(NODES, saved={"NODES": "ten"})
    assert talk.advance() == NODES
    assert "whole number" in talk.set_aside["NODES"].message
    talk.answer(NODES, "5")
    assert talk.advance() is None
    assert talk.values() == {"NODES": "5"}


def test_a_default_does_not_silently_replace_a_bad_saved_value():
    talk = interview(NODES, saved={"NODES": "ten"}, take_defaults=True)
    assert talk.missing() == [NODES]
    assert talk.advance() == NODES
    assert "whole number" in talk.set_aside["NODES"].message
