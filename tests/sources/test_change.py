"""What follows from a change of repository, version, ref or folder."""

import os

import pytest
from helpers.repositories import git

from rigger.errors import BadUsage, Refused
from rigger.sources.change import derive_changes, is_its_own, other_place

URL = "https://git.example.com/oak"


@pytest.fixture
def saved(repository):
    return {"PLATFORM": "oak", "REPOSITORY": repository.url, "VERSION": "v1.9.0"}


# Single values


def test_other_values_change_nothing_of_it(saved):
    assert derive_changes(saved, {"NODES": "5"}) == ({"NODES": "5"}, [])
    assert derive_changes({"PLATFORM": "tree"}, {"VERSION": "2"}) == ({"VERSION": "2"}, [])


def test_a_release_is_named_as_its_tag_and_takes_the_place_of_a_branch(saved, repository):
    changes, gone = derive_changes({**saved, "REF": "main"}, {"VERSION": "1.10.0"})
    assert changes == {"VERSION": "v1.10.0", "REPOSITORY": repository.url} and gone == ["REF"]


@pytest.mark.parametrize("given", [{"REF": "next"}, {"VERSION": "v1.10.0"}])
def test_a_branch_or_a_release_takes_the_place_of_a_folder(saved, repository, tmp_path, given):
    changes, gone = derive_changes({**saved, "CHECKOUT": str(tmp_path)}, given)
    assert changes == {**given, "REPOSITORY": repository.url} and gone == ["CHECKOUT"]


def test_a_folder_takes_the_place_of_a_repository_and_has_a_version(saved, repository):
    changes, gone = derive_changes({**saved, "REF": "main"}, {"CHECKOUT": repository.folder})
    assert changes["VERSION"].startswith("1.11.0-beta.1-1-g") and gone == ["REPOSITORY", "REF"]


def test_another_repository_must_have_the_branch_that_is_followed(saved, repository, tmp_path):
    git(tmp_path, "clone", "-q", "--bare", repository.folder, "fork.git")
    fork = str(tmp_path / "fork.git")
    assert derive_changes({**saved, "REF": "next"}, {"REPOSITORY": fork}) == ({"REPOSITORY": fork}, [])
    git(fork, "branch", "-D", "next")
    with pytest.raises(BadUsage, match=f"{fork} has no branch or tag 'next'"):
        derive_changes({**saved, "REF": "next"}, {"REPOSITORY": fork})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"VERSION": "7.0.0"}, "has no release '7.0.0'"),
        ({"REF": "nxt"}, r"has no branch or tag 'nxt' \(did you mean next\?\)"),
        ({"VERSION": "1.10.0", "REF": "main"}, "REF and VERSION exclude each other"),
        ({"CHECKOUT": "/nowhere/oak"}, "There is no folder /nowhere/oak"),
    ],
)
def test_what_cannot_be_had(saved, given, said):
    with pytest.raises(BadUsage, match=said):
        derive_changes(saved, given)


def test_the_version_that_is_saved_may_stand_beside_a_branch(saved):
    assert derive_changes(saved, {"REF": "main", "VERSION": "v1.9.0"})[0]["REF"] == "main"


def test_a_folder_of_ones_own_says_no_repository(tmp_path):
    with pytest.raises(BadUsage, match="It is not known from which repository") as refused:
        derive_changes({"CHECKOUT": str(tmp_path)}, {"REF": "main"})
    assert "--repository URL" in refused.value.next_step


def test_git_is_not_given_what_it_must_not_see(saved):
    with pytest.raises(Refused):
        derive_changes(saved, {"REPOSITORY": "ext::sh -c id"})
    with pytest.raises(Refused):
        derive_changes(saved, {"REF": "--upload-pack=x"})


# Another place, or the same


def test_one_repository_by_another_url_is_its_own(wood):
    assert is_its_own(wood, {"REPOSITORY": URL}, "git@git.example.com:oak.git")
    assert not is_its_own(wood, {"REPOSITORY": URL}, "https://git.example.com/elm")
    assert not is_its_own(wood, {"PLATFORM": "tree"}, URL)


def test_a_clone_of_it_is_its_own(wood, repository, tmp_path):
    git(tmp_path, "init", "-q", "clone")
    clone = str(tmp_path / "clone")
    assert not is_its_own(wood, {"REPOSITORY": URL}, clone)
    git(clone, "remote", "add", "origin", f"{URL}.git")
    assert is_its_own(wood, {"REPOSITORY": URL}, clone) and is_its_own(wood, {"CHECKOUT": clone}, URL)


def test_a_folder_with_the_same_platform_is_its_own(wood, repository):
    assert is_its_own(wood, {"REPOSITORY": URL, "PLATFORM": "oak"}, repository.folder)
    assert is_its_own(wood, {"REPOSITORY": URL, "PLATFORM": "/srv/oak"}, repository.url)
    assert not is_its_own(wood, {"REPOSITORY": URL, "PLATFORM": "elm"}, repository.folder)


def test_one_folder_has_several_paths(wood, tmp_path):
    (tmp_path / "a").mkdir()
    os.symlink("a", tmp_path / "b")
    assert is_its_own(wood, {"CHECKOUT": str(tmp_path / "a")}, str(tmp_path / "b"))


def test_a_folder_that_is_gone_may_have_become_anything(wood):
    assert is_its_own(wood, {"CHECKOUT": "/nowhere/oak"}, URL)


@pytest.mark.parametrize(
    ("saved", "has", "can_change"),
    [
        ({"REPOSITORY": URL}, f"has its platform from {URL}, not from /srv/elm.", True),
        ({"CHECKOUT": "/srv/oak"}, "has its platform from /srv/oak, not from /srv/elm.", True),
        ({"PLATFORM": "tree"}, "has the platform tree, not from /srv/elm.", False),
    ],
)
def test_what_an_unnamed_environment_has(wood, saved, has, can_change):
    problem = other_place(wood, saved, "/srv/elm")
    assert problem.message == f"wood, which this would change, {has}"
    assert "--name NAME" in problem.next_step and ("--name wood" in problem.next_step) == can_change
