"""Files that git-lfs keeps: a pointer in the place of one is seen without it, and what it fetched comes along."""

import os
import shutil

import pytest
from helpers.repositories import content, git, write

from rigger.errors import NotReady
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git import lfs
from rigger.git import remote as git_remote

needs_lfs = pytest.mark.skipif(not shutil.which("git-lfs"), reason="needs git-lfs")
OID = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12345\n"


@pytest.fixture
def pulled(upstream, tmp_path):
    """A clone of v2.0.0 whose file flower/red has been fetched; v2.1.0 has another."""
    git(upstream.folder, "lfs", "install", "--local")
    for version in ("2.0.0", "2.1.0"):
        upstream.commit(
            version, **{".gitattributes": "flower/* filter=lfs -text\n", "flower/red": f"petals {version}"}
        )
        git(upstream.folder, "tag", f"v{version}")
    folder = str(tmp_path / "clone")
    git_clone.clone(upstream.url, folder, git_remote.resolve(upstream.url, version="v2.0.0"))
    return folder


def pull(folder):
    git(folder, "lfs", "install", "--local")
    git(folder, "lfs", "pull")


def test_pointers_are_seen_without_git_lfs(upstream, clone, monkeypatch):
    upstream.commit("before", **{"sub/b.txt": "itself"})
    upstream.commit(
        "pointers",
        **{".gitattributes": "*.bin filter=lfs\n", "a.bin": POINTER, "c.txt": POINTER},
    )
    folder = clone(ref="main")
    monkeypatch.chdir(os.path.join(folder, "sub"))
    assert lfs.lacking(folder) == ["a.bin"], "the others are what they should be"
    write(folder, "a.bin", "something else")
    assert lfs.lacking(folder) == [] and git_inspect.state(folder).changed == ("a.bin",)


@pytest.mark.slow
@needs_lfs
def test_what_was_fetched_is_no_change_and_comes_along_forth_and_back(pulled, upstream):
    assert lfs.lacking(pulled) == ["flower/red"]
    pull(pulled)
    assert content(pulled, "flower/red") == "petals 2.0.0" and lfs.lacking(pulled) == []
    os.utime(os.path.join(pulled, "flower/red"), (1, 1))  # git has to read it
    assert git_inspect.state(pulled).changed == ()
    old, new = git_inspect.commit(pulled), git_remote.resolve(upstream.url, version="v2.1.0")
    git_clone.fetch(pulled, upstream.url, new)
    with pytest.raises(NotReady, match="git-lfs has not fetched files of .*flower/red") as caught:
        git_clone.switch(pulled, new.commit)
    assert git_inspect.commit(pulled) == old and content(pulled, "flower/red") == "petals 2.0.0"
    words = caught.value.next_step.split('"')[1].split()
    git(pulled, *words[3:])
    git_clone.switch(pulled, new.commit)
    assert content(pulled, "flower/red") == "petals 2.1.0" and lfs.lacking(pulled) == []
    assert git_inspect.state(pulled).changed == ()
    shutil.rmtree(upstream.folder)
    git_clone.switch(pulled, old)
    assert content(pulled, "flower/red") == "petals 2.0.0"
    assert git(pulled, "status", "--porcelain") == ""


@needs_lfs
def test_somebodys_own_change_is_kept(pulled, upstream):
    pull(pulled)
    write(pulled, "flower/red", "mine")
    assert git_inspect.state(pulled).changed == ("flower/red",)
    with pytest.raises(NotReady, match="flower/red"):
        git_clone.switch(pulled, git_inspect.commit(pulled))
    assert content(pulled, "flower/red") == "mine"
