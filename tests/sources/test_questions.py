"""The questions for where a platform comes from."""

import re

import pytest

from rigger.modules.model import Module
from rigger.questions.model import Question
from rigger.questions.sources import Sources
from rigger.sources import questions
from rigger.sources.questions import is_unsure, newest_release, source_beforehand, version_question


@pytest.mark.parametrize(
    "release",
    [
        "1.0.0-alpha",
        "1.0.0-beta.1",
        "v1.0.0b2",
        "1.0-dev",
        "1.0.0.pre3",
        "1.0.0-BETA",
        "1.0.0a1",
        "1.0.0-dev+x",
    ],
)
def test_what_is_not_released_yet(release):
    assert is_unsure(release)


@pytest.mark.parametrize("release", ["1.0.0", "v1.0.0", "1.0.0-rc.1", "1.0.0-1", "1.0.0-debian", "1.0.0-abc"])
def test_what_counts_as_released(release):
    assert not is_unsure(release)


@pytest.mark.parametrize(
    ("releases", "newest"),
    [
        ([], ""),
        (["2.0-beta", "1.9-rc1", "1.8"], "1.9-rc1"),
        (["2.0-beta", "2.0-alpha"], "2.0-beta"),
    ],
)
def test_the_newest_release(releases, newest):
    assert newest_release(releases) == newest


def test_every_release_says_what_it_is():
    question = version_question("oak", ["2.0-beta", "1.9-rc1", "1.8"])
    assert [(choice.value, choice.description) for choice in question.choices] == [
        ("2.0-beta", "before its release"),
        ("1.9-rc1", "the newest, a release candidate"),
        ("1.8", ""),
    ]
    assert (question.type, question.default) == ("select", "1.9-rc1")


def test_where_no_releases_are_known_any_word_will_do():
    question = version_question("oak", [])
    assert (question.type, question.default, question.choices) == ("text", None, ())
    assert re.fullmatch(question.pattern, "v1.2.3")
    assert not re.fullmatch(question.pattern, "--upload-pack") and not re.fullmatch(question.pattern, "a b")


def test_a_repository_that_the_manifest_names_is_the_default():
    known = questions.repository_question(
        Module("oak", "platform", "/oak", repository="https://example.com/oak")
    )
    assert (known.default, known.advanced) == ("https://example.com/oak", True)
    for unknown in (Module("oak", "platform", "/oak"), None):
        question = questions.repository_question(unknown)
        assert (question.default, question.advanced) == (None, False)


# What was given beforehand


def test_a_value_that_was_given():
    sources = Sources(environ={"RIGGER_VERSION": "1.9.0"}, saved={"REF": "main"})
    assert questions.given(sources, "VERSION") == "1.9.0" and questions.given(sources, "REF") == "main"
    assert questions.given(sources, "CHECKOUT") == ""


@pytest.mark.parametrize(
    ("sources", "source"),
    [
        ({}, ""),
        ({"flags": {"VERSION": "1"}}, "release"),
        ({"environ": {"RIGGER_REF": "main"}}, "ref"),
        ({"environ": {"REF": "main", "VERSION": "1"}}, ""),
        ({"answers": {"CHECKOUT": "/oak"}}, "folder"),
        ({"flags": {"REF": "main"}, "saved": {"CHECKOUT": "/oak"}}, "ref"),
        ({"draft": {"PLATFORM_SOURCE": "release"}, "saved": {"CHECKOUT": "/oak"}}, "release"),
        ({"flags": {"VERSION": ""}, "saved": {"REF": "main"}}, "ref"),
        ({"saved": {"VERSION": "1", "REF": "main", "CHECKOUT": "/oak"}}, "folder"),
    ],
)
def test_the_first_place_that_names_a_source_decides(sources, source):
    assert source_beforehand(Sources(**sources)) == source


def test_a_source_that_is_known_is_not_asked():
    question = Question("PLATFORM_SOURCE", "?")
    sources = Sources(draft={"PLATFORM_SOURCE": "release", "REF": "main"}, saved={"VERSION": "1"})
    found = questions.with_source(sources, "ref")
    assert found.find(question).value == "ref" and found.draft == {"REF": "main"}
    assert found.saved == {"VERSION": "1", "PLATFORM_SOURCE": "ref"}
    assert questions.with_source(sources, "") is sources
    assert (
        questions.with_source(Sources(flags={"PLATFORM_SOURCE": "folder"}), "ref").find(question).value
        == "folder"
    )


def test_what_is_empty_of_a_repository_is_not_stored():
    stored = {"REPOSITORY": "https://example.com/oak", "REF": "", "VERSION": "1.9.0"}
    found = questions.without_empty({"NOTE": "", "REF": "main", "VERSION": "1.8"}, stored)
    assert found == {"NOTE": "", "REPOSITORY": "https://example.com/oak", "VERSION": "1.9.0"}
