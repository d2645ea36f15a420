"""The questions that are rigger's own."""

import re

import pytest

from rigger.configuration.own_questions import (
    backend_questions,
    implied_question,
    module_question,
    type_question,
    version_question,
)
from rigger.modules.model import Module, TerraformSettings


def values(question):
    return [choice.value for choice in question.choices]


def test_the_usual_module_is_the_default_else_the_first():
    assert module_question("provider", "local", {}, ["aws", "local"]).default == "local"
    assert module_question("provider", "local", {}, ["aws", "soil"]).default == "aws"
    assert module_question("provider", "local", {}, []).default is None


def test_a_module_that_is_not_found_but_chosen_can_stay():
    question = module_question("platform", "etcd", {"PLATFORM": "/srv/tree"}, ["etcd"])
    assert values(question) == ["etcd", "/srv/tree"] and question.default == "etcd"
    assert values(module_question("platform", "etcd", {"PLATFORM": "etcd"}, ["etcd"])) == ["etcd"]


@pytest.mark.parametrize(
    ("text", "welcome"),
    [
        ("/srv/tree", True),
        ("./tree", True),
        ("~/tree", True),
        ("../tree", True),
        ("tree", False),
        (".", False),
    ],
)
def test_a_folder_is_told_from_a_name_by_its_slash(text, welcome):
    pattern = module_question("platform", "etcd", {}, ["etcd"]).pattern
    assert bool(re.fullmatch(pattern, text)) == welcome


@pytest.mark.parametrize("role", ["platform", "provider"])
def test_a_module_is_always_asked_for(role):
    question = module_question(role, "etcd", {}, [])
    assert question.decides and not question.advanced


def test_the_newest_version_is_first_and_the_default():
    question = version_question(
        Module("tree", "platform", "/tree", versions=("1.9.0", "1.10.0", "1.10.0-rc.1"))
    )
    assert values(question) == ["1.10.0", "1.10.0-rc.1", "1.9.0"] and question.default == "1.10.0"
    assert [choice.description for choice in question.choices] == ["the newest", "", ""]


def test_a_type_says_what_it_sets():
    question = type_question({"small": {"NODES": "1", "SIZE": "s"}, "development": {}})
    assert [(choice.value, choice.description) for choice in question.choices] == [
        ("small", "NODES=1, SIZE=s"),
        ("development", ""),
    ]
    assert question.default == "development" and type_question({"small": {}}).default == "small"


def test_a_backend_that_only_the_provider_knows_is_offered_once():
    settings = TerraformSettings(backends={"oss": {}, "s3": {}})
    kind, config = backend_questions(Module("clay", "provider", "/clay", terraform=settings))
    assert values(kind) == ["local", "azurerm", "consul", "gcs", "http", "kubernetes", "oss", "pg", "s3"]
    assert kind.default == "local" and config.optional


@pytest.mark.parametrize(
    ("value", "kind"), [("3", "integer"), ("-3", "text"), ("cx22", "text"), ("", "text")]
)
def test_the_kind_of_an_implied_question_follows_from_its_value(value, kind):
    question = implied_question("SIZE", value)
    assert (question.type, question.default, question.advanced) == (kind, value, True)
