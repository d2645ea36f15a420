"""Where a configured environment's platform comes from; nothing is fetched."""

import os

import pytest

from rigger.modules.model import Module
from rigger.sources.saved import SavedSource

URL = "https://git.example.com/oak"


def test_a_platform_that_comes_from_nowhere_has_no_folder(wood):
    os.mkdir(wood.file("checkout"))
    source = SavedSource(wood, {"PLATFORM": "oak"})
    assert not source.comes_first and source.folder({}) is None


def test_a_clone_is_where_the_environment_has_it(wood):
    source = SavedSource(wood, {"PLATFORM": "oak", "REPOSITORY": URL})
    assert (source.comes_first, source.platform, source.repository) == (True, "oak", URL)
    assert source.folder({}) is None
    os.mkdir(wood.file("checkout"))
    assert source.folder({}) == wood.file("checkout")


def test_a_folder_of_the_users_own(wood, tmp_path):
    assert SavedSource(wood, {"CHECKOUT": str(tmp_path)}).folder({}) == str(tmp_path)


def test_another_folder_can_stand_for_it(wood, tmp_path):
    assert SavedSource(wood, {"REPOSITORY": URL}, str(tmp_path)).folder({}) == str(tmp_path)


def test_what_is_stored_can_be_asked_for_and_nothing_is_missing(wood):
    source = SavedSource(wood, {"REPOSITORY": URL})
    platform = Module("oak", "platform", "/oak", repository=URL)
    *others, version = source.questions({"PLATFORM": "oak"}, platform)
    assert [question.name for question in others] == ["REPOSITORY", "REF", "CHECKOUT"]
    assert all((q.optional, q.default, q.advanced) == (True, None, True) for q in others)
    assert (version.name, version.choices, version.ask) == ("VERSION", (), "Which version of oak?")
    assert source.is_complete({}) and source.describe(version) is version


@pytest.mark.parametrize(
    ("values", "found"), [({}, ("", "")), ({"VERSION": "1", "REPOSITORY": URL}, ("1", URL))]
)
def test_version_and_url_are_those_of_the_values(wood, values, found):
    source = SavedSource(wood, {"VERSION": "2"})
    assert (source.version(values), source.url(values)) == found
