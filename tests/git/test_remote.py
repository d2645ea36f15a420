"""What a repository offers: releases, branches, tags, commits."""

import socket

import pytest
from helpers.repositories import git, said

from rigger.errors import BadUsage, NotReady
from rigger.git import remote as git_remote
from rigger.git.remote import Target


def test_releases_come_newest_first_and_candidates_count(upstream):
    git(upstream.folder, "tag", "v1.9.0-x", "main")
    git(upstream.folder, "tag", "v1.10.0", "1.10.0")
    for other in ("release-7", "v2", "2024"):
        git(upstream.folder, "tag", other)
    assert list(git_remote.releases(upstream.url)) == [
        "1.10.0",
        "v1.10.0-rc1",
        "v1.10.0-beta.1",
        "v1.9.0",
        "v1.9.0-x",
    ]
    assert git_remote.offer(upstream.url).others == ("nightly",)


@pytest.mark.parametrize(
    ("tags", "offered"),
    [
        (["release-1.9.0", "release-1.10.0"], ["release-1.10.0", "release-1.9.0"]),
        (["tulip-1.9.0", "tulip-1.10.0-rc.1"], ["tulip-1.10.0-rc.1", "tulip-1.9.0"]),
        (["tulip/v1.0.0", "rose/v2.0.0"], ["tulip/v1.0.0"]),
        (["charts/tulip-1.0.0", "rose@2.0.0"], ["charts/tulip-1.0.0"]),
        (["2026-01-31", "2026-01-31-2", "2025.12.01"], ["2026-01-31-2", "2026-01-31", "2025.12.01"]),
        (["20260131", "20251201"], ["20260131", "20251201"]),
        (["RELEASE.2026-01-16T16-07-38Z", "RELEASE.2026-01-16T16-08-01Z"], 1),
        (["REL_15_2", "REL_15_10"], ["REL_15_10", "REL_15_2"]),
        (["v255", "v256"], ["v256", "v255"]),
        (["tulip-1.0.0", "1.1.0"], ["1.1.0", "tulip-1.0.0"]),
        (["1.0.0+k3s9", "1.0.0+k3s10"], ["1.0.0+k3s10", "1.0.0+k3s9"]),
        (["lily-1.0", "rose-2.0"], []),
        (["weekly", "3e45abc"], []),
    ],
)
def test_versions_are_found_however_they_are_tagged(tmp_path, tags, offered):
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    for tag in tags:
        git(tmp_path, "tag", tag)
    found = git_remote.releases(str(tmp_path), "tulip")
    assert [*found] == (tags[::-1] if offered == 1 else offered)


def test_a_version_is_found_by_its_number_where_its_tag_has_a_name_too(upstream):
    for tag in ("release-3.0.0", "lily-4.0.0", "rose/v4.0.0"):
        git(upstream.folder, "tag", tag, "main")
    for asked in ("3.0.0", "v3.0.0", "release-3.0.0"):
        assert git_remote.resolve(upstream.url, version=asked).name == "release-3.0.0"
    assert git_remote.resolve(upstream.url, version="lily/v4.0.0").name == "lily-4.0.0"
    with pytest.raises(BadUsage, match="has several tags of '4.0.0'") as problem:
        git_remote.resolve(upstream.url, version="4.0.0")
    assert problem.value.next_step == "Name one: lily-4.0.0, rose/v4.0.0."


def test_a_release_is_found_with_and_without_its_v(upstream):
    for tag in ("v1.9.0", "v1.10.0-rc1", "1.10.0"):
        for spelled in (tag, tag.removeprefix("v"), f"v{tag.removeprefix('v')}"):
            found = git_remote.resolve(upstream.url, version=spelled)
            assert found == Target(upstream.commits[tag], tag, "release", f"refs/tags/{tag}")


def test_branches_tags_and_commits(upstream):
    main, old = upstream.commits["main"], upstream.commits["v1.9.0"]
    assert git_remote.resolve(upstream.url, ref="main") == Target(main, "main", "branch", "refs/heads/main")
    assert git_remote.resolve(upstream.url) == Target(main, "main", "branch", "refs/heads/main")
    assert git_remote.resolve(upstream.url, ref="HEAD").name == "main"
    assert git_remote.resolve(upstream.url, ref="refs/tags/nightly").kind == "tag"
    assert git_remote.resolve(upstream.url, ref=old).commit == old
    assert git_remote.resolve(upstream.url, ref=old[:9]) == Target(old, old, "commit")


def test_a_commit_that_no_branch_leads_to_any_more(upstream):
    lost = upstream.commit("lost", lost="yes")
    git(upstream.folder, "reset", "-q", "--hard", upstream.commits["main"])
    git(upstream.folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    assert git_remote.resolve(upstream.url, ref=lost) == Target(lost, lost, "commit")


def test_what_is_both_branch_and_tag_must_be_spelled_out(upstream):
    git(upstream.folder, "branch", "nightly", "v1.9.0")
    with pytest.raises(BadUsage, match="both a branch and a tag") as problem:
        git_remote.resolve(upstream.url, ref="nightly")
    assert "refs/heads/nightly or refs/tags/nightly" in problem.value.next_step
    assert git_remote.resolve(upstream.url, ref="refs/heads/nightly").commit == upstream.commits["v1.9.0"]
    assert git_remote.resolve(upstream.url, ref="refs/tags/nightly").commit == upstream.commits["1.10.0"]


@pytest.mark.parametrize(
    "asked, words",
    [
        (
            {"version": "1.9.1"},
            "has no release '1.9.1' (did you mean v1.9.0?). Its newest: 1.10.0, v1.10.0-rc1",
        ),
        ({"ref": "mian"}, "has no branch or tag 'mian' (did you mean main?)"),
        ({"ref": "a" * 40}, "has no branch, tag or commit"),
        ({"ref": "feedbeef"}, "has no branch, tag or commit"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(upstream, asked, words):
    with pytest.raises(BadUsage) as problem:
        git_remote.resolve(upstream.url, **asked)
    assert words in said(problem)


def test_a_repository_that_cannot_be_reached(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/x.git"
        with pytest.raises(NotReady, match="cannot be reached: .*(refused|connect)") as problem:
            git_remote.releases(url)
        assert "git ls-remote" in problem.value.next_step
    for nothing in (str(tmp_path), str(tmp_path / "none"), f"file://{tmp_path}"):
        with pytest.raises(NotReady, match="does not appear to be a git repository"):
            git_remote.releases(nothing)


def test_a_server_that_never_answers(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(NotReady, match="there was no answer within 0.5 s"):
            git_remote.releases(f"http://127.0.0.1:{silent.getsockname()[1]}/x.git", timeout=0.5)


@pytest.mark.parametrize("name", ["main", "master", "trunk", "develop", "1.x", "team/next"])
def test_the_default_branch_whatever_it_is_called(upstream, name):
    git(upstream.folder, "branch", "-m", "main", name)
    target = git_remote.resolve(upstream.url)
    assert (target.name, target.kind, target.ref) == (name, "branch", f"refs/heads/{name}")


def test_a_default_that_is_no_branch(upstream):
    git(upstream.folder, "checkout", "-q", "--detach")
    commit = git(upstream.folder, "rev-parse", "HEAD")
    assert git_remote.resolve(upstream.url) == git_remote.Target(commit, commit, "commit")
    git(upstream.folder, "symbolic-ref", "HEAD", "refs/heads/gone")
    with pytest.raises(BadUsage) as refused:
        git_remote.resolve(upstream.url)
    assert "has no default branch: its HEAD names a branch that is not there" in refused.value.message
    assert "--ref; it has the branches main" in refused.value.next_step


def test_an_empty_repository_has_no_default(tmp_path):
    git(tmp_path, "init", "-q", "empty")
    with pytest.raises(BadUsage, match="is empty|no default branch"):
        git_remote.resolve(f"file://{tmp_path}/empty")
