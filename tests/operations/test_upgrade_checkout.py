"""The platform's repository on its way to the version of an upgrade."""

import os
import shutil

import pytest
from helpers.platform_repository import Repository
from helpers.repositories import git
from helpers.without_terminal import Listener

from rigger.audit.events import UpgradeStarted
from rigger.audit.upgrades import Request
from rigger.environments.home import Home
from rigger.errors import BadUsage, NotReady
from rigger.git import inspect as git_inspect
from rigger.operations.answers import Given
from rigger.operations.configure import configure
from rigger.operations.consent import Consent
from rigger.operations.session import session
from rigger.operations.upgrade_checkout import check_out, release_to_check_out
from rigger.runs.reporter import Silent

TRUST = Consent(trust=True)
FORTH = Request("v1.9.0", "v1.10.0", "graceful")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "oak")


@pytest.fixture
def oak(cluster, repository):
    """An environment whose platform is a clone of release v1.9.0."""
    return made(cluster, REPOSITORY=repository.url, VERSION="v1.9.0")


def made(cluster, **values):
    given = Given("oak", {"PROVIDER": "soil", **values}, defaults=True)
    return configure(Home(cluster.rigger.home), given, consent=TRUST).environment


def working(environment, reporter=None, consent=TRUST):
    return session(environment, "rigger upgrade", reporter or Silent(), consent)


def commit(folder, name) -> str:
    return git(folder, "rev-parse", f"{name}^{{commit}}")


def test_a_release_is_fetched_and_agreed_to_before_anything_changes(oak, repository):
    folder, heard = oak.file("checkout"), Listener()
    with (
        working(oak, consent=Consent()) as work,
        pytest.raises(BadUsage, match="and there is no terminal"),
    ):
        release_to_check_out(work, FORTH)
    with working(oak, heard) as work:
        release = release_to_check_out(work, FORTH)
    assert (release.folder, release.commit) == (folder, commit(repository.folder, "v1.10.0"))
    assert repository.url in heard.warnings[0]
    assert git_inspect.commit(folder) == commit(repository.folder, "v1.9.0"), "nothing was checked out yet"
    with working(oak, consent=Consent()) as work:
        assert release_to_check_out(work, FORTH) == release, "once is enough"


def test_going_on_needs_no_network_and_takes_the_commit_that_it_began_with(oak, repository):
    with working(oak) as work:
        release = release_to_check_out(work, FORTH)
    shutil.rmtree(repository.folder)
    with working(oak, consent=Consent()) as work:
        begun = Request("v1.9.0", "v1.10.0", "graceful", since=9)
        assert release_to_check_out(work, begun) == release
        with pytest.raises(NotReady):
            release_to_check_out(work, FORTH)


def test_local_changes_are_in_its_way(oak):
    with open(oak.file("checkout", "rigger", "deploy"), "a") as file:
        file.write("# mine\n")
    with working(oak) as work, pytest.raises(NotReady, match="change"):
        release_to_check_out(work, FORTH)


def test_a_checkout_is_recorded_before_it_is_made_and_once(oak, repository):
    heard, folder = Listener(), oak.file("checkout")
    with working(oak, heard) as work:
        release = release_to_check_out(work, FORTH)
        before = len(oak.audit.records())
        for _ in range(2):
            check_out(work, FORTH, release)
    [record] = oak.audit.records()[before:]
    assert (record["event"], record["folder"], record["version"]) == ("checked-out", folder, "v1.10.0")
    assert (record["before"], record["commit"]) == (commit(repository.folder, "v1.9.0"), release.commit)
    assert git_inspect.commit(folder) == release.commit
    assert heard.lines[-1] == f"Checked out v1.10.0 ({release.commit[:12]}) in {folder}"


@pytest.mark.slow
def test_the_way_back_is_to_the_commit_that_it_came_from(oak, repository):
    with working(oak) as work:
        back = Request("v1.10.0", "v1.9.0", "graceful", back=True)
        assert release_to_check_out(work, back) is None, "nothing was checked out"
        work.record(UpgradeStarted(from_="v1.9.0", to="v1.10.0", style="graceful", rollback=False))
        check_out(work, FORTH, release_to_check_out(work, FORTH))
        release = release_to_check_out(work, back)
        assert release.commit == commit(repository.folder, "v1.9.0")
        check_out(work, back, release)
    assert git_inspect.commit(oak.file("checkout")) == release.commit


def test_a_folder_of_ones_own_needs_a_tag(cluster, repository):
    git(repository.folder, "checkout", "-q", "v1.9.0")
    oak = made(cluster, CHECKOUT=repository.folder)
    with working(oak, consent=Consent()) as work:
        release = release_to_check_out(work, FORTH)
        assert release.commit == commit(repository.folder, "v1.10.0")
        assert os.path.realpath(release.folder) == os.path.realpath(repository.folder)
        unknown = Request("v1.9.0", "v9.0.0", "graceful")
        with pytest.raises(NotReady, match="has no tag for v9.0.0") as caught:
            release_to_check_out(work, unknown)
        assert caught.value.next_step == f'Get it: "git -C {release.folder} fetch --tags", then try again.'
        untagged = Request("0.0.1", "0.0.2", "graceful")
        assert release_to_check_out(work, untagged) is None, "versions are no tags of this repository"
        back = Request("v1.10.0", "v1.9.0", "graceful", back=True)
        assert release_to_check_out(work, back) is None, "nothing was checked out on the way forth"
        repository.write("rigger/deploy", "#!/bin/sh\n# mine\n")
        with pytest.raises(NotReady, match="change"):
            release_to_check_out(work, FORTH)


def test_a_platform_in_no_repository_has_nothing_to_check_out(wood):
    with working(wood) as work:
        assert release_to_check_out(work, Request("1.9.0", "1.10.0", "graceful")) is None
