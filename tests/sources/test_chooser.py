"""Where a platform will come from, while somebody is still choosing."""

import os
import re

import pytest
from helpers.repositories import git

from rigger.environments.home import Home
from rigger.errors import BadUsage, NotReady, Refused
from rigger.modules.model import Module
from rigger.questions.sources import Sources
from rigger.sources.chooser import SourceChooser, bring_agreed, draft_folder
from rigger.trust.ledger import agree_repository

OAK = Module("oak", "platform", "/oak")


class Choice:
    """Choosers of one environment, and what they said and asked to agree to."""

    def __init__(self, home):
        self.home = home
        self.said, self.agreed = [], []

    def __call__(self, name="copse", asks=False, **sources):
        return SourceChooser(
            self.home.at(name),
            Sources(**sources),
            lambda url, commit, folder: self.agreed.append((url, commit, folder)),
            self.said.append,
            None,
            asks,
        )


@pytest.fixture
def choose(tmp_path):
    return Choice(Home(str(tmp_path / "home")))


@pytest.fixture
def release(repository):
    return {"PLATFORM_SOURCE": "release", "REPOSITORY": repository.url, "VERSION": "1.9.0"}


def names(questions):
    return [question.name for question in questions]


def values(question):
    return [choice.value for choice in question.choices]


# What is asked


def test_what_is_asked_follows_from_the_source(choose, repository):
    chooser, url = choose(), {"REPOSITORY": repository.url}
    asked = {
        source: names(chooser.questions({"PLATFORM_SOURCE": source, **url} if source else {}))
        for source in ("", "folder", "ref", "release")
    }
    assert asked == {
        "": ["PLATFORM_SOURCE"],
        "folder": ["PLATFORM_SOURCE", "CHECKOUT"],
        "ref": ["PLATFORM_SOURCE", "REPOSITORY", "REF"],
        "release": ["PLATFORM_SOURCE", "REPOSITORY", "VERSION"],
    }


def test_a_release_can_be_chosen_once_the_repository_is_known(choose, repository):
    assert names(choose().questions({"PLATFORM_SOURCE": "release"})) == ["PLATFORM_SOURCE", "REPOSITORY"]
    version = choose().questions({"PLATFORM_SOURCE": "release", "REPOSITORY": repository.url}, OAK)[-1]
    assert values(version) == ["1.11.0-beta.1", "v1.10.0", "1.10.0-rc.1", "1.10.0-beta.1", "v1.9.0"]
    assert version.default == "v1.10.0"


def test_releases_that_this_rigger_cannot_run_are_not_offered(choose, repository):
    old = Module("oak", "platform", "/oak", interfaces={2: "1.10.0", 3: "1.11.0"})
    version = choose().questions({"PLATFORM_SOURCE": "release", "REPOSITORY": repository.url}, old)[-1]
    assert values(version) == ["v1.10.0", "1.10.0-rc.1", "1.10.0-beta.1"]


def test_releases_are_listed_for_who_looks_at_them_where_a_version_is_given(choose, repository):
    chooser = choose(flags={"VERSION": "1.9.0"})
    version = chooser.questions({"PLATFORM_SOURCE": "release", "REPOSITORY": repository.url}, OAK)[-1]
    assert version.choices == ()
    assert values(chooser.describe(version))[-1] == "v1.9.0"


def test_that_releases_cannot_be_listed_is_said_and_any_text_will_do(choose, repository):
    chooser = choose(flags={"VERSION": "1.9.0"})
    version = chooser.questions({"PLATFORM_SOURCE": "release", "REPOSITORY": "/nowhere/oak"}, OAK)[-1]
    assert chooser.describe(version).type == "text"
    assert choose.said[0].startswith("Its releases cannot be listed: /nowhere/oak cannot be reached")


@pytest.mark.parametrize(("asks", "kind"), [(True, NotReady), (False, BadUsage)])
def test_a_repository_without_releases_has_branches(choose, repository, asks, kind):
    for tag in git(repository.folder, "tag").split():
        git(repository.folder, "tag", "-d", tag)
    with pytest.raises(kind, match=f"{repository.url} has no tags that are versions") as refused:
        choose(asks=asks).questions({"PLATFORM_SOURCE": "release", "REPOSITORY": repository.url})
    assert refused.value.next_step == "Choose a branch with --ref BRANCH."


@pytest.mark.parametrize(
    ("tags", "told", "step"),
    [
        (["weekly", "stable"], "has no tags that are versions: its tags are stable, weekly", "Versions look like 1.2.0,"),
        (["lily-1.0", "rose-2.0"], "has the versions of several things.*: rose-2.0, lily-1.0", "Name one with --version TAG"),
    ],
)  # fmt: skip
def test_tags_that_are_not_understood_are_named(choose, repository, tags, told, step):
    for tag in git(repository.folder, "tag").split():
        git(repository.folder, "tag", "-d", tag)
    for tag in tags:
        git(repository.folder, "tag", tag)
    with pytest.raises(BadUsage, match=told) as refused:
        choose(asks=False).questions({"PLATFORM_SOURCE": "release", "REPOSITORY": repository.url})
    assert refused.value.next_step.startswith(step)


def test_tags_beside_the_versions_are_named_too(choose, repository):
    git(repository.folder, "tag", "weekly")
    choose().questions({"PLATFORM_SOURCE": "release", "REPOSITORY": repository.url})
    assert choose.said == [f"Tags of {repository.url} that are no versions are left out: weekly."]


def test_a_repository_that_was_given_comes_first(choose, repository):
    assert choose(flags={"REPOSITORY": repository.url}).comes_first
    assert choose(flags={"CHECKOUT": "/oak"}).comes_first
    assert not choose(flags={"VERSION": "1.9.0"}).comes_first and not choose().comes_first
    assert choose(flags={"CHECKOUT": "/oak"}, saved={"REPOSITORY": repository.url}).repository == ""


# What is there


@pytest.mark.parametrize("missing", ["REPOSITORY", "VERSION"])
def test_nothing_is_cloned_before_it_is_known_what(choose, release, missing):
    chooser, few = choose(), {name: value for name, value in release.items() if name != missing}
    assert not chooser.is_complete(few) and chooser.folder(few) is None
    assert chooser.version(few) == "" and chooser.stored(few) == {}
    assert not os.path.exists(choose.home.path)


def test_a_release_is_cloned_among_the_drafts_and_agreed_to(choose, repository, release):
    chooser = choose()
    found = chooser.checkout(release)
    commit = git(repository.folder, "rev-parse", "v1.9.0^{commit}")
    assert os.path.dirname(found.folder) == draft_folder(choose.home.path, "copse") == chooser.draft
    assert git(found.folder, "rev-parse", "HEAD") == commit and found.version == "v1.9.0"
    assert choose.agreed == [(repository.url, commit, found.folder)]
    assert choose.said == [f"Cloning v1.9.0 of {repository.url}"]
    assert chooser.stored(release) == {
        "REPOSITORY": repository.url, "REF": "", "CHECKOUT": "", "VERSION": "v1.9.0",
    }  # fmt: skip


def test_a_clone_of_last_time_is_used_again_and_agreed_to_again(choose, release):
    first, again = choose().folder(release), choose().folder(release)
    assert first == again and len(choose.said) == 1 and len(choose.agreed) == 2


def test_what_nobody_agrees_to_is_not_found(choose, release):
    def disagree(*asked):
        raise BadUsage("Nobody agreed.")

    chooser = choose()
    chooser.agree = disagree
    with pytest.raises(BadUsage, match="Nobody agreed"):
        chooser.checkout(release)


def test_a_clone_is_gone_once_it_is_discarded(choose, release):
    chooser = choose()
    folder = chooser.folder(release)
    chooser.discard()
    assert not os.path.exists(folder) and not os.path.exists(chooser.draft)


def test_the_version_of_a_branch_is_what_git_describe_says(choose, repository):
    wanted = {"PLATFORM_SOURCE": "ref", "REPOSITORY": repository.url, "REF": "main"}
    chooser = choose()
    assert re.fullmatch(r"1\.11\.0-beta\.1-1-g[0-9a-f]+", chooser.version(wanted))
    assert chooser.stored(wanted)["REF"] == "main" and chooser.url(wanted) == repository.url


def test_a_folder_is_used_where_it_lies(choose, repository):
    wanted = {
        "PLATFORM_SOURCE": "folder",
        "CHECKOUT": repository.folder,
        "REPOSITORY": "https://example.com/x",
    }
    chooser = choose()
    assert chooser.folder(wanted) == repository.folder and not chooser.checkout(wanted).is_new
    assert chooser.stored(wanted)["CHECKOUT"] == repository.folder
    assert chooser.stored(wanted)["REPOSITORY"] == "" and choose.agreed == []
    assert chooser.url(wanted) == ""
    git(repository.folder, "remote", "add", "origin", "https://git.example.com/oak")
    assert chooser.url(wanted) == "https://git.example.com/oak"


def test_a_folder_that_cannot_be_used(choose, tmp_path):
    with pytest.raises(BadUsage, match="There is no folder /nowhere/oak") as refused:
        choose().checkout({"CHECKOUT": "/nowhere/oak"})
    assert refused.value.next_step
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    with pytest.raises(BadUsage, match="bare.git is a bare git repository") as refused:
        choose().checkout({"CHECKOUT": str(tmp_path / "bare.git")})
    assert refused.value.next_step == f"To have it cloned: --repository {tmp_path}/bare.git"


def test_git_is_not_given_what_it_must_not_see(choose):
    with pytest.raises(Refused):
        choose().checkout({"REPOSITORY": "ext::sh -c id", "REF": "main"})


# An environment that has a checkout


@pytest.fixture
def cloned(choose, wood, repository):
    """The environment with a clone of its own, to whose commit somebody agreed."""
    wood.save({**wood.vars(), "REPOSITORY": repository.url, "VERSION": "v1.9.0"}, {})
    git(os.path.dirname(repository.folder), "clone", "-q", repository.url, wood.file("checkout"))
    agree_repository(choose.home.path, repository.url, git(repository.folder, "rev-parse", "main"))
    return wood


def test_a_checkout_stays_where_nothing_else_is_asked_for(choose, cloned, release):
    assert choose("wood").checkout({**release, "VERSION": "1.9.0"}).folder == cloned.file("checkout")
    assert choose.said == [] and choose.agreed == []
    assert (
        choose("wood")
        .folder({**release, "VERSION": "1.10.0"})
        .startswith(draft_folder(choose.home.path, "wood"))
    )


def test_commits_of_others_that_came_by_other_means_are_agreed_to(choose, cloned, repository, release):
    commit = repository.commit("news", news="x")
    git(cloned.file("checkout"), "pull", "-q")
    choose("wood").checkout(release)
    assert choose.agreed == [(repository.url, commit, cloned.file("checkout"))]


def test_a_clone_holds_the_commit_that_was_agreed_to_last(choose, repository, release):
    def holds(commit):  # git would fetch what it is asked for by name
        return commit in git(found.folder, "cat-file", "--batch-all-objects", "--batch-check")

    found, main = choose().checkout(release), git(repository.folder, "rev-parse", "main")
    bring_agreed(choose.home.path, repository.url, found.target.commit, found.folder)
    assert holds(found.target.commit) and not holds(main)
    agree_repository(choose.home.path, repository.url, main)
    bring_agreed(choose.home.path, repository.url, found.target.commit, found.folder)
    assert holds(main)


def test_a_commit_that_is_gone_stops_nobody(choose, repository, release):
    agree_repository(choose.home.path, repository.url, "0" * 40)
    assert choose().checkout(release).version == "v1.9.0"
