"""Hostile repositories, servers and settings: git runs nothing of theirs."""

import os
import subprocess

import pytest
from helpers.repositories import Canary, Upstream, content, git, update, write

from rigger.errors import NotReady
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git import remote as git_remote


def test_nothing_that_the_settings_of_a_repository_name_is_run(tmp_path):
    upstream, canary = Upstream(tmp_path / "upstream"), Canary(str(tmp_path))
    write(upstream.folder, "file", "changed\n")
    canary.settle_in(upstream.folder)
    folder = upstream.folder
    os.utime(os.path.join(folder, "newest"), (1, 1))  # git has to read the file again, through its filter
    assert git_inspect.describe(folder).endswith("-dirty")
    found = git_inspect.state(folder, upstream.commits["main"])
    assert found.same and "file" in found.changed
    git_inspect.commit(folder), git_inspect.tagged(folder, "1.9.0"), git_inspect.local_base(folder)
    git_inspect.changes(folder, upstream.commits["v1.9.0"], upstream.commits["main"])
    for lost in (git_inspect.require_nothing_lost, git_inspect.require_clean):
        with pytest.raises(NotReady):
            lost(folder)
    assert canary.ran() == ""
    git(folder, "status", check=False)
    assert canary.ran(), "the canary would not even run for git itself"


@pytest.mark.slow
def test_nothing_of_a_hostile_checkout_is_run_when_it_is_updated(upstream, clone, tmp_path):
    folder, canary = clone(version="1.9.0"), Canary(str(tmp_path))
    canary.settle_in(folder)
    update(upstream, folder, version="1.10.0")
    update(upstream, folder, ref="main")
    git_clone.switch(folder, upstream.commits["v1.9.0"])
    assert content(folder, "file") == "v1.9.0" and canary.ran() == ""


def test_nothing_of_a_hostile_server_in_a_folder_is_run(tmp_path):
    upstream, canary = Upstream(tmp_path / "upstream"), Canary(str(tmp_path))
    write(upstream.folder, ".gitattributes", "* filter=bad diff=bad merge=bad\n")
    write(upstream.folder, ".gitmodules", '[submodule "x"]\npath = x\nurl = ext::canary\nupdate = !canary\n')
    write(upstream.folder, ".lfsconfig", "[lfs]\nurl = ext::canary\n")
    upstream.commit("bad attributes")
    canary.settle_in(upstream.folder)
    git(upstream.folder, "config", "--unset-all", f"url.ext::{canary.program} .insteadOf")
    git(upstream.folder, "config", "extensions.partialClone", "origin")
    for url in (upstream.folder, upstream.url):
        target = git_remote.resolve(url, ref="main")
        folder = str(tmp_path / f"of-{len(url)}")
        git_clone.clone(url, folder, target)
        git_remote.releases(url)
        assert content(folder, "file") == "1.10.0"
    assert canary.ran() == ""


def test_rigger_called_in_a_hostile_repository(upstream, tmp_path, monkeypatch):
    hostile, canary = Upstream(tmp_path / "hostile"), Canary(str(tmp_path))
    canary.settle_in(hostile.folder)
    monkeypatch.chdir(hostile.folder)
    monkeypatch.setenv("GIT_DIR", os.path.join(hostile.folder, ".git"))
    monkeypatch.setenv("GIT_SSH_COMMAND", canary.program)
    monkeypatch.setenv("GIT_ASKPASS", canary.program)
    monkeypatch.setenv("SSH_ASKPASS", canary.program)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", canary.program)
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor={canary.program}'")
    git_remote.releases(upstream.url)
    git_clone.clone(upstream.url, str(tmp_path / "clone"), git_remote.resolve(upstream.url, version="1.9.0"))
    assert git_inspect.commit(str(tmp_path / "clone")) == upstream.commits["v1.9.0"]
    assert canary.ran() == ""


def test_settings_of_the_user_cannot_lead_to_a_helper(upstream, tmp_path):
    canary = Canary(str(tmp_path))
    git(tmp_path, "config", "--global", f"url.ext::{canary.program} .insteadOf", "https://trick.invalid/")
    git(tmp_path, "config", "--global", "protocol.ext.allow", "always")
    git(tmp_path, "config", "--global", "core.hooksPath", str(tmp_path))
    git(tmp_path, "config", "--global", "filter.bad.smudge", canary.program)
    with pytest.raises(NotReady, match="transport 'ext' not allowed"):
        git_remote.releases("https://trick.invalid/x.git")
    write(upstream.folder, ".gitattributes", "* filter=bad\n")
    upstream.commit("bad attributes")
    git_clone.clone(upstream.url, str(tmp_path / "clone"), git_remote.resolve(upstream.url))
    assert content(str(tmp_path / "clone"), "file") == "1.10.0" and canary.ran() == ""


def test_the_settings_of_the_user_reach_a_private_server(upstream, tmp_path):
    git(tmp_path, "config", "--global", f"url.{upstream.folder}.insteadOf", "file:///a/short/name")
    assert "v1.9.0" in git_remote.releases("file:///a/short/name")


def test_nothing_of_a_submodule_is_run(upstream, tmp_path):
    canary, sub = Canary(str(tmp_path)), Upstream(tmp_path / "sub")
    git(upstream.folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", sub.url, "sub")
    upstream.commit("a submodule")
    inside = os.path.join(upstream.folder, "sub")
    git(inside, "config", "filter.bad.clean", canary.program)
    write(upstream.folder, ".git/modules/sub/info/attributes", "* filter=bad\n")
    os.utime(os.path.join(inside, "file"), (1, 1))  # git has to read the file again, through its filter
    expected = git_inspect.describe(upstream.folder)
    assert git_inspect.state(upstream.folder).changed == () and not expected.endswith("-dirty")
    assert canary.ran() == ""
    git(upstream.folder, "status")
    assert canary.ran(), "the canary would not even run for git itself"


def test_a_repository_that_would_write_into_dot_git(tmp_path):
    """git's own checks are on: a tree with an entry .git is not even fetched."""
    folder = tmp_path / "bad"
    git(tmp_path, "init", "-q", "-b", "main", folder)
    blob = subprocess.run(
        ["git", "-C", folder, "hash-object", "-w", "--stdin"], input=b"x", capture_output=True, check=True
    ).stdout.decode().strip()  # fmt: skip
    inner = bytes.fromhex(blob)
    tree = subprocess.run(
        ["git", "-C", folder, "hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        input=b"100644 .git\0" + inner, capture_output=True, check=True,
    ).stdout.decode().strip()  # fmt: skip
    commit = git(folder, "commit-tree", "-m", "bad", tree)
    git(folder, "update-ref", "refs/heads/main", commit)
    with pytest.raises(NotReady, match="(?i)cannot be cloned: .*(fsck|hasdotgit|contains '.git')"):
        git_clone.clone(str(folder), str(tmp_path / "clone"), git_remote.resolve(str(folder), ref="main"))
    assert not os.path.exists(tmp_path / "clone")


def test_a_machine_without_git(upstream, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotReady, match="git is needed"):
        git_remote.releases(upstream.url)
