"""Looking at a checkout: its state, its name, what changed."""

import os

import pytest
from helpers.repositories import git, update, write

from rigger.errors import NotReady
from rigger.git import inspect as git_inspect


def test_state(upstream, clone, tmp_path):
    assert git_inspect.state(str(tmp_path / "none")).missing
    write(tmp_path / "plain", "file")
    assert not git_inspect.state(str(tmp_path / "plain")).is_repository
    folder = clone(version="1.9.0")
    found = git_inspect.state(folder, upstream.commits["v1.9.0"])
    assert found.same and not found.local and not found.untracked and not found.branch
    write(folder, "file")
    write(folder, "spaced name\n")
    found = git_inspect.state(folder, upstream.commits["1.10.0"])
    assert not found.same and found.changed == ("file",) and found.untracked == 1
    before = os.stat(os.path.join(folder, ".git", "index"))
    git_inspect.state(folder)
    assert os.stat(os.path.join(folder, ".git", "index")).st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("prepare", ["", "dirty", "untracked", "ahead", "worktree", "no tags"])
def test_describe_says_what_git_says(upstream, tmp_path, prepare):
    folder = upstream.folder
    if prepare == "worktree":
        folder = str(tmp_path / "worktree")
        git(upstream.folder, "worktree", "add", "-q", folder, "v1.10.0-rc1")
    if prepare == "no tags":
        git(folder, "tag", "-d", *git(folder, "tag").split())
    if prepare == "dirty":
        write(folder, "file")
    if prepare == "untracked":
        write(folder, "beside")
    if prepare == "ahead":
        git(folder, "commit", "-q", "--allow-empty", "-m", "more")
    expected = git(folder, "describe", "--long", "--dirty", "--tags", "--always")
    assert git_inspect.describe(folder) == expected and (prepare != "dirty" or expected.endswith("-dirty"))


def test_a_repository_without_a_commit(tmp_path):
    git(tmp_path, "init", "-q", ".")
    assert git_inspect.commit(str(tmp_path)) == "" and git_inspect.state(str(tmp_path)).commit == ""
    with pytest.raises(NotReady, match="cannot be described"):
        git_inspect.describe(str(tmp_path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_the_repository_of_somebody_else_is_left_to_them(upstream):
    for folder, folders, files in os.walk(upstream.folder):
        for name in (*folders, *files, "."):
            os.chown(os.path.join(folder, name), 12345, 12345)
    remedy = f"git config --global --add safe.directory {upstream.folder}"
    with pytest.raises(NotReady, match="dubious ownership") as refused:
        git_inspect.describe(upstream.folder)
    assert refused.value.next_step.endswith(remedy)
    git(upstream.folder, "config", "--global", "--add", "safe.directory", upstream.folder)
    assert git_inspect.describe(upstream.folder).startswith("1.10.0-1-g")


def test_changes_between_two_commits(upstream, clone):
    folder = clone(ref="main")
    lines = git_inspect.changes(folder, upstream.commits["v1.9.0"], upstream.commits["main"])
    assert [line.split(" ", 1)[1] for line in lines] == [
        "the newest",
        "1.10.0",
        "v1.10.0-rc1",
        "v1.10.0-beta.1",
        "contrib/soil/create",
    ]
    few = git_inspect.changes(folder, upstream.commits["v1.9.0"], upstream.commits["main"], limit=2)
    assert few[2] == "..." and len(few) == 4
    assert "cannot be shown" in git_inspect.changes(folder, "d" * 40, upstream.commits["main"])[0]


def test_changes_cannot_drive_a_terminal(upstream, clone):
    last = upstream.commit("\x1b]0;owned\x07 red \x1b[31m", **{"contrib/soil/\x1b[2J": "#!/bin/sh\n"})
    lines = git_inspect.changes(clone(ref="main"), upstream.commits["main"], last)
    assert len(lines) == 2 and all(line.isprintable() for line in lines)


def test_changes_in_a_shallow_clone_are_those_of_the_files(upstream, clone):
    folder = clone(version="1.9.0")
    update(upstream, folder, version="1.10.0")
    lines = git_inspect.changes(folder, upstream.commits["v1.9.0"], upstream.commits["1.10.0"])
    assert lines == ["changed contrib/soil/create"]


def test_what_git_does_not_track_in_a_part(upstream, tmp_path):
    write(upstream.folder, ".gitignore", "*.state\n")
    for name in ("contrib/soil/a.state", "contrib/soil/deep/b", "contrib/loam/c", "d"):
        write(upstream.folder, name)
    git(tmp_path, "clone", "-q", upstream.folder, os.path.join(upstream.folder, "contrib", "soil", "other"))
    soil = os.path.join(upstream.folder, "contrib", "soil")
    found = git_inspect.untracked(upstream.folder, soil)
    assert sorted(os.path.relpath(path, soil) for path in found) == ["a.state", "deep/b", "other"]
