"""The checkout that is there, against what is configured."""

import os
import re

import pytest
from helpers.repositories import git

from rigger.errors import BadUsage, NotReady
from rigger.git import remote as git_remote
from rigger.modules.model import Module
from rigger.sources import checkout as source_checkout
from rigger.sources.spec import Checkout
from rigger.trust.ledger import agree_repository


def configure(environment, **values):
    environment.save({**environment.vars(), **values}, {})


def clone(environment, agree=lambda *asked: None):
    """Have the environment's checkout again, and return what was said."""
    said = []
    with environment.locked("a test"):
        source_checkout.restore(environment, said.append, lambda text: None, agree)
    return said


@pytest.fixture
def oak(wood, repository):
    """The environment with the release v1.9.0 of the repository, not cloned yet."""
    configure(wood, REPOSITORY=repository.url, VERSION="v1.9.0")
    return wood


@pytest.fixture
def cloned(oak):
    clone(oak)
    return oak


def head(folder):
    return git(folder, "rev-parse", "HEAD")


def tip(repository, name):
    return git(repository.folder, "rev-parse", f"{name}^{{commit}}")


# Which folder, which version


def test_the_repository_is_found_by_its_root_then_as_the_clone_then_as_the_platforms_own(
    cloned, repository, tmp_path
):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    tree = Module("tree", "platform", repository.folder, prefix="TREE")
    bare = Module("tree", "platform", str(tmp_path), prefix="TREE")
    find, clone = source_checkout.find, cloned.file("checkout")
    assert find(cloned, tree, {"TREE_ROOT": str(other)}) == str(other)
    assert find(cloned, tree, {"TREE_ROOT": "/nowhere"}) == clone
    os.rename(clone, tmp_path / "moved")
    assert find(cloned, tree, {}) == repository.folder and find(cloned, bare, {}) is None


def test_a_version_is_that_of_the_repository_around(repository, tmp_path):
    assert re.fullmatch(r"1\.11\.0-beta\.1-1-g[0-9a-f]+", source_checkout.describe(repository.folder))
    assert source_checkout.describe(f"{repository.folder}/contrib") == source_checkout.describe(
        repository.folder
    )
    repository.write("new.txt", "x")
    assert not source_checkout.describe(repository.folder).endswith("-dirty")
    repository.write("rigger/rigger.yml", "changed")
    assert source_checkout.describe(repository.folder).endswith("-dirty")


def test_without_a_commit_there_is_no_version(tmp_path):
    assert source_checkout.describe(str(tmp_path)) == "unversioned"
    git(tmp_path, "init", "-q")
    assert source_checkout.describe(str(tmp_path)) == "unversioned"
    assert source_checkout.standing("/oak", "unversioned").startswith("/oak has no version: it is in no git")
    assert source_checkout.standing("/oak", "v1.9.0") == "/oak is at v1.9.0"


# Restored


def test_what_is_missing_is_cloned_and_recorded(oak, repository):
    asked = []
    said = clone(oak, lambda *about: asked.append(about))
    folder, commit = oak.file("checkout"), tip(repository, "v1.9.0")
    assert said == [f"{folder} is missing; cloning {repository.url} at v1.9.0"]
    assert head(folder) == commit and asked[0][:2] == (repository.url, commit)
    last = source_checkout.last_record(oak)
    assert (last.version, last.commit, last.tag, last.ref) == ("v1.9.0", commit, "refs/tags/v1.9.0", "")


@pytest.mark.parametrize("values", [{"REPOSITORY": ""}, {"CHECKOUT": "/srv/oak"}])
def test_what_is_not_the_environments_own_is_not_cloned(oak, values):
    configure(oak, **values)
    assert clone(oak) == [] and not os.path.exists(oak.file("checkout"))


def test_what_is_there_stays(cloned):
    with open(cloned.file("checkout", "mine"), "w"):
        pass
    assert clone(cloned) == [] and os.path.exists(cloned.file("checkout", "mine"))


def test_a_branch_that_moved_on_is_left_where_it_was(oak, repository, tmp_path):
    configure(oak, REF="main", VERSION="main")
    clone(oak)
    before = head(oak.file("checkout"))
    repository.commit("news", news="x")
    os.rename(oak.file("checkout"), tmp_path / "away")
    clone(oak)
    assert head(oak.file("checkout")) == before != tip(repository, "main")


def test_what_nobody_agreed_to_is_not_cloned_without_asking(oak, repository):
    with pytest.raises(BadUsage) as refused:
        clone(oak, agree=None)
    commit = tip(repository, "v1.9.0")
    assert refused.value.message == (
        f"Nobody has agreed yet to run the scripts of {repository.url} at {commit[:12]}."
    )
    assert not os.path.exists(oak.file("checkout"))
    agree_repository(oak.home, repository.url, commit)
    clone(oak, agree=None)
    assert head(oak.file("checkout")) == commit


def test_nothing_is_left_where_somebody_does_not_agree(oak):
    def disagree(*asked):
        raise BadUsage("Nobody agreed.")

    with pytest.raises(BadUsage, match="Nobody agreed"):
        clone(oak, disagree)
    assert not os.path.exists(oak.file("checkout")) and source_checkout.last_record(oak) is None


# Checked


def checked(environment):
    return source_checkout.check_checkout(environment, environment.vars())


def test_where_nothing_is_to_be_said(oak):
    assert checked(oak) == ""
    clone(oak)
    assert checked(oak) == ""
    configure(oak, VERSION="1.9.0")
    assert checked(oak) == ""


@pytest.mark.parametrize("values", [{"VERSION": "v1.10.0"}, {"REF": "next"}])
def test_another_version_than_the_configured_one_is_an_error(cloned, values):
    configure(cloned, **values)
    (wanted,) = values.values()
    with pytest.raises(NotReady, match=rf"checkout is at v1\.9\.0\S*, but {wanted} is configured") as refused:
        checked(cloned)
    assert refused.value.next_step == 'Type "rigger checkout" to bring it there.'


def test_work_of_ones_own_is_told_and_no_error(cloned):
    with open(cloned.file("checkout", "rigger", "rigger.yml"), "a") as file:
        file.write("# mine\n")
    configure(cloned, VERSION="v1.10.0")
    assert re.search(r"is at v1\.9\.0\S*-dirty, with work of your own$", checked(cloned))


def test_another_release_that_somebody_checked_out_is_an_error(cloned, repository):
    target = git_remote.resolve(repository.url, version="v1.10.0")
    git(cloned.file("checkout"), "fetch", "-q", repository.url, "--tags", target.commit)
    git(cloned.file("checkout"), "checkout", "-q", target.commit)
    with pytest.raises(NotReady, match=r"is at v1\.10\.0\S*, but v1\.9\.0 is configured"):
        checked(cloned)


def test_a_folder_of_ones_own_is_only_described(wood, repository):
    configure(wood, CHECKOUT=repository.folder, VERSION="v1.9.0")
    assert checked(wood).startswith(f"{repository.folder} is at 1.11.0-beta.1-1-g")
    configure(wood, CHECKOUT="/nowhere/oak")
    with pytest.raises(NotReady, match="There is no folder /nowhere/oak") as refused:
        checked(wood)
    assert "--path FOLDER" in refused.value.next_step


def test_a_record_holds_though_the_environment_has_moved(cloned):
    target = git_remote.resolve(cloned.vars()["REPOSITORY"], version="v1.10.0")
    with cloned.locked("a test"):
        source_checkout.record(cloned, Checkout("/elsewhere", "v1.10.0", "", target), "next", before="abc")
    last = source_checkout.last_record(cloned)
    assert (last.folder, last.before, last.ref, last.commit) == (
        cloned.file("checkout"), "abc", "next", target.commit,
    )  # fmt: skip
