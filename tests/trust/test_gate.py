"""Scripts of a repository run only after somebody agreed to them, by URL and commit."""

import glob
import json
import os
import shutil
import stat

import pytest
from helpers.repositories import Upstream, git

from rigger.configuration.config import Config
from rigger.environments.home import Home
from rigger.errors import BadUsage, InvalidConfig
from rigger.git import clone as git_clone
from rigger.git import remote as git_remote
from rigger.modules import search
from rigger.modules.model import Module
from rigger.trust import digests, gate, ledger

URL = "https://example.invalid/tree.git"
ONE, TWO = "1" * 40, "2" * 40


@pytest.fixture
def home(private_home):
    return Home()


@pytest.fixture
def cloned(home, tmp_path):
    """Give an environment whose platform lies in a clone of release 1.9.0, and the repository it comes from."""
    upstream = Upstream(tmp_path / "upstream")
    upstream.commit("a platform", **{"rigger.yml": "interface: 2\nname: tree\nrole: platform\n"})
    git(upstream.folder, "tag", "2.0.0")
    environment = home.create("wood", {"REPOSITORY": upstream.url, "TREE_ID": "0123456789"}, {})
    target = git_remote.resolve(upstream.url, version="2.0.0")
    git_clone.clone(upstream.url, environment.file("checkout"), target)
    return upstream, environment, target.commit


def configured(environment) -> Config:
    folder = environment.file("checkout")
    provider = Module("soil", "provider", search.packaged("provider"))
    return Config(provider, Module("tree", "platform", folder), (), {}, {}, {})


def may_run(environment) -> bool:
    try:
        gate.require_trusted(environment, configured(environment).modules)
    except BadUsage as problem:
        assert "rigger checkout" in problem.next_step
        return False
    return True


def test_an_agreement_names_the_url_and_the_commit(home):
    ledger.agree_repository(home.path, URL, ONE)
    ledger.agree_repository(home.path, URL, TWO)
    ledger.agree_repository(home.path, "git@example.invalid:tree", ONE)
    assert list(ledger.agreed_commits(home.path, URL)) == [ONE, TWO]
    ledger.agree_repository(home.path, URL, ONE)
    assert list(ledger.agreed_commits(home.path, URL)) == [TWO, ONE]  # the one agreed to last is the last
    path = os.path.join(home.path, "repositories.json")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path) as file:
        assert set(json.load(file)) == {URL, "git@example.invalid:tree"}


@pytest.mark.parametrize("content", ["{", "[]", '{"x": 1}', '{"x": {"y": 1}}', "\udcff".encode("utf-8", "surrogateescape")])  # fmt: skip
def test_a_record_that_cannot_be_understood_agrees_to_nothing(home, content):
    os.makedirs(home.path)
    with open(os.path.join(home.path, "repositories.json"), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidConfig, match="repositories.json"):
        ledger.agreed_commits(home.path, URL)


def test_scripts_of_a_clone_run_once_somebody_agreed(cloned):
    upstream, environment, commit = cloned
    assert not may_run(environment)
    ledger.agree_repository(environment.home, "https://example.invalid/other.git", commit)
    assert not may_run(environment)
    ledger.agree_repository(environment.home, upstream.url, commit)
    assert may_run(environment)


def test_ones_own_work_needs_no_agreement(cloned):
    upstream, environment, commit = cloned
    ledger.agree_repository(environment.home, upstream.url, commit)
    folder = environment.file("checkout")
    with open(os.path.join(folder, "file"), "a") as file:
        file.write("mine\n")
    assert may_run(environment)
    git(folder, "commit", "-qam", "my work")
    git(folder, "commit", "-q", "--allow-empty", "-m", "more of it")
    assert may_run(environment)


def test_the_work_of_others_does(cloned):
    upstream, environment, commit = cloned
    ledger.agree_repository(environment.home, upstream.url, commit)
    theirs = upstream.commit("theirs", theirs="yes")
    folder = environment.file("checkout")
    git(folder, "fetch", "-q", "origin")
    git(folder, "checkout", "-q", theirs)
    assert not may_run(environment)
    git(folder, "commit", "-q", "--allow-empty", "-m", "my work on top of theirs")
    assert not may_run(environment)
    git(folder, "checkout", "-q", commit)
    git(folder, "commit", "-q", "--allow-empty", "-m", "my work")
    git(folder, "merge", "-q", "-m", "with theirs", theirs)
    assert not may_run(environment)
    ledger.agree_repository(environment.home, upstream.url, theirs)
    assert may_run(environment)


def test_a_clone_that_came_in_a_bundle_is_agreed_to_by_its_files(cloned):
    upstream, environment, commit = cloned
    folder = environment.file("checkout")
    ledger.agree(environment.path, [digests.digest(folder)])
    assert may_run(environment)
    with open(os.path.join(folder, "file"), "a") as file:
        file.write("changed\n")
    assert not may_run(environment)


def test_a_folder_of_ones_own_needs_no_agreement(cloned):
    upstream, environment, commit = cloned
    provider = Module("soil", "provider", search.packaged("provider"))
    own = Config(provider, Module("tree", "platform", upstream.folder), (), {}, {}, {})
    environment.save({"CHECKOUT": upstream.folder, "TREE_ID": "0123456789"}, {})
    gate.require_trusted(environment, own.modules)


def test_no_checkout_needs_no_git(home, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    environment = home.create("wood", {}, {})
    provider = Module("soil", "provider", search.packaged("provider"))
    gate.require_trusted(environment, (provider, Module("tree", "platform", str(tmp_path))))


def test_every_byte_of_a_provider_from_a_bundle_is_agreed_to(home):
    """The Python that its scripts import is a part of it, and so are links; what Python keeps for itself is none."""
    environment = home.create("wood", {}, {})
    folder = environment.file("scripts", "provider", "aws")
    shutil.copytree(
        os.path.join(search.packaged("provider"), "aws"),
        folder,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    provider = Module("aws", "provider", folder)
    ledger.agree(environment.path, [digests.digest(folder)])
    lib = os.path.join(folder, "lib", "aws")
    os.mkdir(os.path.join(lib, "__pycache__"))
    with open(os.path.join(lib, "__pycache__", "keys.cpython-310.pyc"), "w") as file:
        file.write("x")
    assert gate.is_trusted(environment, provider)
    for path in [*glob.glob(f"{lib}/*.py"), os.path.join(folder, "lib", "main.py"), f"{folder}/bin/ask"]:
        with open(path, "rb") as file:
            content = file.read()
        with open(path, "wb") as file:
            file.write(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
        assert not gate.is_trusted(environment, provider), path
        with open(path, "wb") as file:
            file.write(content)
        assert gate.is_trusted(environment, provider)
    for target in ("keys.py", "/tmp", "nowhere"):
        os.symlink(target, os.path.join(lib, "boto3"))
        assert not gate.is_trusted(environment, provider), target
        os.unlink(os.path.join(lib, "boto3"))
    assert gate.is_trusted(environment, provider)
