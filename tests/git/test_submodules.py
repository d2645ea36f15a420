"""Submodules come along with the commit that names them, or are missed; they never cost somebody's work."""

import os
import shutil

import pytest
from helpers.repositories import Upstream, content, git, said, update, write

from rigger.errors import NotReady, Refused
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git import remote as git_remote
from rigger.git import submodules
from rigger.git.gitlinks import Submodule, url_of

ALLOWED = ("-c", "protocol.file.allow=always")


@pytest.fixture
def inner(tmp_path):
    return Upstream(tmp_path / "inner")


@pytest.fixture
def sub(tmp_path, inner):
    sub = Upstream(tmp_path / "sub")
    git(sub.folder, *ALLOWED, "submodule", "--quiet", "add", "../inner", "deep")
    sub.commit("with another in it")
    return sub


@pytest.fixture
def nested(upstream, sub):
    """Releases of a repository: v2.0.0 has a submodule, v2.1.0 a newer one and one more, v2.2.0 none."""
    git(upstream.folder, *ALLOWED, "submodule", "--quiet", "add", "../sub", "vendor/sub")
    upstream.commit("a submodule")
    git(upstream.folder, "tag", "v2.0.0")
    sub.commit("newer", flower="new")
    git(os.path.join(upstream.folder, "vendor/sub"), "pull", "-q", "origin", "main")
    git(upstream.folder, *ALLOWED, "submodule", "--quiet", "add", "--name", "more", "../inner", "more")
    upstream.commit("another")
    git(upstream.folder, "tag", "v2.1.0")
    git(upstream.folder, "rm", "-q", "vendor/sub", "more")
    upstream.commit("none", **{"more": "a file now"})
    git(upstream.folder, "tag", "v2.2.0")
    return upstream


def cloned(nested, tmp_path, version="v2.0.0"):
    folder = str(tmp_path / "clone")
    target = git_remote.resolve(nested.url, version=version)
    git_clone.clone(nested.url, folder, target, submodules=True)
    return folder


def status(folder):
    return git(folder, "submodule", "status", "--recursive").splitlines()


@pytest.mark.slow
def test_a_clone_has_them_as_git_itself_would(nested, tmp_path):
    folder = cloned(nested, tmp_path)
    assert [line.split()[1] for line in status(folder)] == ["vendor/sub", "vendor/sub/deep"]
    assert content(folder, "vendor/sub/deep/newest") == "yes"
    assert git(folder, "status", "--porcelain") == "" and submodules.lacking(folder) == []
    assert not os.path.exists(os.path.join(folder, "vendor/sub/flower"))
    git(folder, *ALLOWED, "submodule", "update", "--init", "--recursive")


@pytest.mark.slow
def test_they_come_along_forth_and_back_without_a_network(nested, sub, inner, tmp_path):
    folder = cloned(nested, tmp_path)
    old, new = git_inspect.commit(folder), git_remote.resolve(nested.url, version="v2.1.0")
    git_clone.fetch(folder, nested.url, new)
    with pytest.raises(NotReady, match="does not have the submodules of .*: more, vendor/sub"):
        git_clone.switch(folder, new.commit)
    assert git_inspect.commit(folder) == old, "nothing was changed"
    submodules.fetch(folder, nested.url, new.commit)
    none = git_remote.resolve(nested.url, version="v2.2.0")
    git_clone.fetch(folder, nested.url, none)
    for upstream in (nested, sub, inner):
        shutil.move(upstream.folder, upstream.folder + ".gone")
    git_clone.switch(folder, new.commit)
    assert content(folder, "vendor/sub/flower") == "new" and content(folder, "more/newest") == "yes"
    assert submodules.lacking(folder) == [] and git(folder, "status", "--porcelain") == ""
    git_clone.switch(folder, none.commit)
    assert content(folder, "more") == "a file now" and not os.path.exists(os.path.join(folder, "vendor"))
    git_clone.switch(folder, old)
    assert not os.path.exists(os.path.join(folder, "vendor/sub/flower"))
    assert content(folder, "vendor/sub/deep/newest") == "yes" and submodules.lacking(folder) == []
    assert git(folder, "status", "--porcelain") == ""


@pytest.mark.slow
def test_those_that_git_itself_made_come_along(nested, tmp_path):
    folder = str(tmp_path / "clone")
    git(tmp_path, *ALLOWED, "clone", "-q", "--recurse-submodules", "-b", "v2.0.0", nested.url, folder)
    update(nested, folder, version="v2.1.0")
    assert content(folder, "vendor/sub/flower") == "new"
    assert os.listdir(os.path.join(folder, "more")) == [], "nobody asked for it"
    assert [(one.path, one.has) for one in submodules.lacking(folder)] == [("more", "")]


@pytest.mark.slow
def test_one_that_is_at_another_commit_is_seen(nested, tmp_path):
    folder = cloned(nested, tmp_path)
    deep = os.path.join(folder, "vendor/sub/deep")
    git(deep, "-c", "user.name=t", "commit", "-q", "--allow-empty", "-m", "mine")
    [found] = submodules.lacking(folder)
    assert found.path == "vendor/sub/deep" and found.has == git(deep, "rev-parse", "HEAD")
    shutil.rmtree(deep)
    os.mkdir(deep)
    [found] = submodules.lacking(folder)
    assert found.path == "vendor/sub/deep" and not found.has
    git_clone.bring_submodules(folder, nested.url, git_inspect.commit(folder))
    assert submodules.lacking(folder) == []


@pytest.mark.slow
def test_it_can_be_done_without(nested, tmp_path):
    folder = str(tmp_path / "clone")
    git_clone.clone(nested.url, folder, git_remote.resolve(nested.url, version="v2.1.0"))
    assert [one.path for one in submodules.lacking(folder)] == ["more", "vendor/sub"]
    assert submodules.leave_out(folder) == ["more", "vendor/sub"]
    assert submodules.lacking(folder) == []
    submodules.take_in(folder)
    assert len(submodules.lacking(folder)) == 2


@pytest.mark.slow
def test_work_in_one_is_work(nested, tmp_path):
    folder = cloned(nested, tmp_path)
    inside = os.path.join(folder, "vendor/sub")
    write(inside, "file", "mine\n")
    assert git_inspect.state(folder).changed == ("vendor/sub/file",)
    assert git_inspect.describe(folder).endswith("-dirty")
    target = git_remote.resolve(nested.url, version="v2.1.0")
    for way in (
        lambda: git_clone.update(folder, nested.url, target),
        lambda: git_clone.clone(nested.url, folder, target, replace=True),
    ):
        with pytest.raises(NotReady, match="vendor/sub/file"):
            way()
    git(inside, "stash", "-q")
    write(inside, "mine")
    git(inside, "checkout", "-q", "-b", "mine")
    git(inside, "commit", "-q", "--allow-empty", "-m", "my work")
    git(inside, "checkout", "-q", "HEAD~")
    with pytest.raises(NotReady) as caught:
        git_clone.clone(nested.url, folder, target, replace=True)
    for word in ("vendor/sub/mine", "my work", "stash"):
        assert word in said(caught), word
    assert os.path.exists(os.path.join(inside, "mine"))


def test_a_url_has_to_pass_the_same_checks_as_a_repository():
    def url(own, parent):
        return url_of(Submodule("sub", "1" * 40, "sub", own), parent)

    assert url("../x.git", "https://example.com/a/b.git") == "https://example.com/a/x.git"
    assert url("./x", "https://example.com/a/b/") == "https://example.com/a/b/x"
    assert url("../../x", "git@example.com:a/b.git") == "git@example.com:x"
    assert url("../x", "/srv/a") == "/srv/x" and url("../x", "file:///srv/a") == "file:///srv/x"
    assert url("https://example.com/x", "/srv/a") == "https://example.com/x"
    assert url("ssh://git@example.com/x", "https://example.com/y") == "ssh://git@example.com/x"
    for own in (
        "/etc",
        "file:///etc",
        "ext::sh -c x",
        "-x",
        ".",
        "~/x",
        "http://localhost/x",
        "",
        "http://a.b/x",
    ):
        with pytest.raises(Refused):
            url(own, "https://example.com/a.git")


@pytest.mark.slow
def test_a_name_or_a_link_that_leads_elsewhere_is_refused(upstream, tmp_path):
    for name in ("../../x", "a/../../b", "/etc", "a//b", "."):
        write(upstream.folder, ".gitmodules", f'[submodule "{name}"]\n\tpath = vendor\n\turl = ../sub\n')
        git(upstream.folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor")
        git(upstream.folder, "add", ".gitmodules")
        git(upstream.folder, "commit", "-qm", "bad")
        folder = tmp_path / "clone"
        with pytest.raises((NotReady, Refused)):
            git_clone.clone(upstream.url, str(folder), git_remote.resolve(upstream.url), submodules=True)
        shutil.rmtree(folder, ignore_errors=True)
