"""What values say about where a platform comes from."""

import pytest

from rigger.sources.spec import SourceSpec, is_bare, same_release, same_repository, stored_source

URL = "https://git.example.com/tree.git"


@pytest.mark.parametrize(
    ("values", "spec"),
    [
        ({}, None),
        ({"REPOSITORY": URL}, None),
        ({"VERSION": "1.9.0"}, None),
        ({"REPOSITORY": URL, "VERSION": "v1.9.0"}, SourceSpec("release", URL, "1.9.0")),
        ({"REPOSITORY": URL, "REF": "v1.9.0"}, SourceSpec("ref", URL, "v1.9.0")),
        ({"REPOSITORY": URL, "REF": "main", "VERSION": "1.9.0"}, SourceSpec("ref", URL, "main")),
        ({"REPOSITORY": URL, "REF": "main", "CHECKOUT": "/tree"}, SourceSpec("folder", "", "/tree")),
        ({"PLATFORM_SOURCE": "folder"}, None),
        ({"PLATFORM_SOURCE": "release", "REF": "main", "REPOSITORY": URL}, None),
    ],
)
def test_what_is_wanted(values, spec):
    assert SourceSpec.of(values) == spec


def test_empty_values_say_nothing():
    assert stored_source({"CHECKOUT": "", "REF": "", "VERSION": ""}) == ""


@pytest.mark.parametrize(
    "other",
    [
        "https://git.example.com/tree",
        "https://GIT.example.com/tree.git/",
        "git@git.example.com:tree.git",
        "ssh://git@git.example.com/tree",
        "ssh://git.example.com/tree.git",
    ],
)
def test_one_repository_has_many_urls(other):
    assert same_repository(URL, other) and same_repository(other, URL)


@pytest.mark.parametrize(
    "other", ["https://git.example.com/trees", "https://example.com/tree.git", "/srv/tree.git"]
)
def test_another_repository_is_another(other):
    assert not same_repository(URL, other)


def test_a_release_is_the_same_with_and_without_its_v():
    assert same_release("v1.9.0", "1.9.0") and not same_release("1.9.0", "1.9.1")


def test_a_bare_repository_is_told_by_what_is_in_it(tmp_path):
    assert not is_bare(str(tmp_path))
    for name in ("objects", "refs"):
        (tmp_path / name).mkdir()
    (tmp_path / "HEAD").touch()
    assert is_bare(str(tmp_path))
