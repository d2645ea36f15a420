"""A platform whose repository has submodules: what was left out is said, what is not there is not deployed."""

import os

import pytest
from helpers.platform_repository import Repository
from helpers.repositories import Upstream, git
from helpers.without_terminal import Listener

from rigger.environments.home import Home
from rigger.errors import BadUsage, NotReady
from rigger.git import inspect as git_inspect
from rigger.git import submodules
from rigger.operations.answers import Given
from rigger.operations.checkout import checkout
from rigger.operations.configure import configure
from rigger.operations.consent import Consent
from rigger.operations.provision import provision
from rigger.operations.save import SaveOptions, save
from rigger.operations.upgrade import upgrade
from rigger.operations.upgrade_request import UpgradeOptions

TRUST = Consent(trust=True)
SAYS = '#!/bin/sh\n# Summary: Say what is in the submodule.\ncat "$OAK_ROOT/vendor/file" >>"$NOTED.vendor"\necho >>"$NOTED.vendor"\n'
ALLOWED = ("-c", "protocol.file.allow=always")


@pytest.fixture
def repository(tmp_path):
    """The repository of oak: v2.0.0 has a submodule, v2.1.0 has it at another commit, and one more."""
    Upstream(tmp_path / "sub")
    repository = Repository(tmp_path / "oak")
    folder = os.path.join(repository.folder, "vendor")
    git(repository.folder, *ALLOWED, "submodule", "--quiet", "add", "../sub", "vendor")
    git(folder, "checkout", "-q", "v1.9.0")
    repository.write("rigger/deploy", SAYS)
    repository.write("rigger/upgrade-graceful", SAYS)
    repository.release("v2.0.0")
    git(folder, "checkout", "-q", "1.10.0")
    git(repository.folder, *ALLOWED, "submodule", "--quiet", "add", "--name", "second", "../sub", "second")
    repository.release("v2.1.0")
    return repository


def oak(cluster, heard=None, **values):
    given = Given("oak", {"PROVIDER": "soil", **values}, defaults=True)
    return configure(Home(cluster.rigger.home), given, heard, TRUST).environment


@pytest.fixture
def deployed(cluster, monkeypatch):
    noted = os.path.join(cluster.rigger.folder, "noted")
    monkeypatch.setenv("NOTED", noted)

    def read():
        with open(f"{noted}.vendor") as file:
            return file.read().split()

    return read


@pytest.mark.slow
def test_a_clone_without_them_says_so_and_is_not_deployed(cluster, repository, deployed):
    heard = Listener()
    tree = oak(cluster, heard, REPOSITORY=repository.url, VERSION="v2.0.0")
    assert any("vendor" in said and "rigger checkout --submodules" in said for said in heard.warnings)
    before = tree.audit.records()
    with pytest.raises(NotReady, match="are missing, nothing was started: vendor") as caught:
        provision(tree)
    assert "rigger checkout --submodules" in caught.value.next_step and tree.audit.records() == before
    checkout(tree, submodules=True)
    provision(tree)
    assert deployed() == ["v1.9.0"]


@pytest.mark.slow
def test_a_clone_can_do_without_them(cluster, repository, deployed):
    tree, heard = oak(cluster, REPOSITORY=repository.url, VERSION="v2.0.0"), Listener()
    checkout(tree, submodules=False, reporter=heard)
    assert "does without the submodule vendor" in heard.lines[-1]
    heard = Listener()
    checkout(tree, reporter=heard)
    assert heard.warnings == []
    provision(tree)
    assert deployed() == []


@pytest.mark.slow
def test_an_upgrade_brings_them_along(cluster, repository, deployed):
    tree = oak(cluster, REPOSITORY=repository.url, VERSION="v2.0.0")
    checkout(tree, submodules=True)
    provision(tree)
    upgrade(tree, UpgradeOptions(to="v2.1.0", style="graceful"), consent=TRUST)
    assert deployed() == ["v1.9.0", "1.10.0"]
    assert submodules.lacking(tree.file("checkout")) == []
    assert os.path.exists(tree.file("checkout", "second", "newest"))


@pytest.mark.slow
def test_an_upgrade_whose_submodule_cannot_be_had_changes_nothing(cluster, repository, deployed):
    tree = oak(cluster, REPOSITORY=repository.url, VERSION="v2.0.0")
    checkout(tree, submodules=True)
    provision(tree)
    os.rename(os.path.join(repository.folder, "../sub"), os.path.join(repository.folder, "../gone"))
    commit, before = git_inspect.commit(tree.file("checkout")), tree.audit.records()
    with pytest.raises(NotReady, match="The submodule .* cannot be fetched"):
        upgrade(tree, UpgradeOptions(to="v2.1.0", style="graceful"), consent=TRUST)
    assert git_inspect.commit(tree.file("checkout")) == commit and tree.vars()["VERSION"] == "v2.0.0"
    assert [r for r in tree.audit.records()[len(before) :] if r["event"].startswith("upgrade")] == []


@pytest.mark.slow
def test_in_a_folder_of_ones_own_they_are_at_the_right_commit_or_refused(cluster, repository, deployed):
    folder = repository.folder
    git(folder, "checkout", "-q", "v2.0.0")
    heard = Listener()
    with_old = oak(cluster, heard, CHECKOUT=folder)
    with pytest.raises(NotReady, match="at other commits than it names.*vendor is at"):
        provision(with_old)
    git(folder, *ALLOWED, "submodule", "update", "--init", "--recursive")
    provision(with_old)
    assert deployed() == ["v1.9.0"]
    upgrade(with_old, UpgradeOptions(to="v2.1.0", style="graceful"), consent=TRUST)
    assert deployed() == ["v1.9.0", "1.10.0"]
    with pytest.raises(BadUsage, match="your own folder"):
        checkout(with_old, submodules=True)


@pytest.mark.slow
def test_pointers_of_git_lfs_are_not_deployed(cluster, repository, tmp_path):
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4' * 64}\nsize 12345\n"
    repository.release("v3.0.0", **{"big.bin": pointer})
    repository.release("v3.1.0", **{".gitattributes": "*.bin filter=lfs\n"})
    tree, heard = oak(cluster, REPOSITORY=repository.url, VERSION="v3.0.0"), Listener()
    checkout(tree, submodules=True, reporter=heard)
    provision(tree)
    before = git_inspect.commit(tree.file("checkout"))
    with pytest.raises(NotReady, match="git-lfs has not fetched files of .*big.bin"):
        upgrade(tree, UpgradeOptions(to="v3.1.0", style="graceful"), consent=TRUST)
    assert git_inspect.commit(tree.file("checkout")) == before and tree.vars()["VERSION"] == "v3.0.0"
    git(repository.folder, "checkout", "-q", "v3.1.0")
    git(repository.folder, *ALLOWED, "submodule", "update", "--init", "--recursive")
    given = Given("mine", {"PROVIDER": "soil", "CHECKOUT": repository.folder}, defaults=True)
    mine = configure(Home(cluster.rigger.home), given, heard, TRUST).environment
    assert any("big.bin" in said and "git lfs pull" in said for said in heard.warnings)
    with pytest.raises(NotReady, match="Nothing was started.*pointers of git-lfs: big.bin"):
        provision(mine)
    save(mine, str(tmp_path / "mine.rigger"), SaveOptions(with_checkout=True), heard)
    assert any("git-lfs" in said and "not in the bundle" in said for said in heard.warnings)


def test_a_bundle_says_that_they_are_not_in_it(cluster, repository, tmp_path):
    tree, heard = oak(cluster, REPOSITORY=repository.url, VERSION="v2.0.0"), Listener()
    checkout(tree, submodules=True)
    save(tree, str(tmp_path / "oak.rigger"), SaveOptions(with_checkout=True), heard)
    assert any("vendor" in said and "not in the bundle" in said for said in heard.warnings)
