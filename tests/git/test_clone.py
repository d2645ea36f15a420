"""Clones and updates: what is fetched, what is never overwritten, and what a stop leaves."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT
from helpers.repositories import Upstream, content, git, said, update, write

from rigger.errors import BadUsage, NotReady
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git import remote as git_remote
from rigger.git.remote import Target

# Clones


def test_a_release_is_cloned_shallow(upstream, clone):
    folder = clone(version="1.9.0")
    assert content(folder, "file") == "v1.9.0" and git_inspect.commit(folder) == upstream.commits["v1.9.0"]
    assert git(folder, "rev-list", "--count", "HEAD") == "1"
    assert git(folder, "rev-parse", "--is-shallow-repository") == "true"
    assert git(folder, "symbolic-ref", "HEAD", check=False) == ""
    assert git(folder, "remote", "get-url", "origin") == upstream.url
    assert git_inspect.describe(folder) == f"v1.9.0-0-g{git(folder, 'rev-parse', '--short', 'HEAD')}"
    assert git(folder, "status", "--porcelain") == ""


def test_a_branch_is_cloned_without_files_of_the_past(upstream, clone):
    folder = clone(ref="main")
    lacking = git(folder, "rev-list", "--objects", "--all", "--missing=print")
    assert [line for line in lacking.splitlines() if line.startswith("?")]
    assert git(folder, "status", "-sb") == "## main...origin/main"
    assert git(folder, "log", "--format=%s").splitlines()[-1] == "v1.9.0"
    assert git_inspect.describe(folder) == f"1.10.0-1-g{upstream.commits['main'][:7]}"
    more = upstream.commit("more", more="yes")
    git(folder, "pull", "-q")
    assert git(folder, "rev-parse", "HEAD") == more


def commits_in(folder):
    """Return the commits that a repository holds; git asked for one by name would fetch it."""
    held = git(folder, "cat-file", "--batch-all-objects", "--batch-check").splitlines()
    return {line.split()[0] for line in held if line.split()[1] == "commit"}


def test_a_commit_to_compare_with_comes_without_its_history(upstream, clone):
    folder = clone(version="1.9.0")
    old, new = upstream.commits["v1.9.0"], upstream.commits["main"]
    for _ in range(2):
        git_clone.fetch_to_compare(folder, upstream.url, new)
        assert commits_in(folder) == {old, new}
    assert git(folder, "for-each-ref", "--format=%(objectname)", "refs/rigger/known").split() == sorted(
        [old, new]
    )
    assert git_inspect.changes(folder, old, new) == ["changed contrib/soil/create"]


def test_a_release_whose_tag_moved_meanwhile_comes_without_its_history(upstream, tmp_path):
    target, folder = git_remote.resolve(upstream.url, version="1.10.0"), str(tmp_path / "clone")
    git(upstream.folder, "tag", "-f", "1.10.0", "v1.9.0")
    git_clone.clone(upstream.url, folder, target)
    assert git_inspect.commit(folder) == upstream.commits["1.10.0"]
    assert commits_in(folder) == {upstream.commits["1.10.0"], upstream.commits["v1.9.0"]}


def test_a_server_that_leaves_nothing_out(tmp_path, clone):
    plain = Upstream(tmp_path / "plain", filters=False)
    for number, asked in enumerate(
        ({"version": "1.10.0"}, {"ref": "main"}, {"ref": plain.commits["v1.9.0"]})
    ):
        folder = str(tmp_path / f"of-plain-{number}")
        git_clone.clone(plain.folder, folder, git_remote.resolve(plain.folder, **asked))
        assert git(folder, "fsck", "--no-dangling") == "" and git(folder, "status", "-s") == ""


def test_a_repository_with_sha256(tmp_path):
    folder = tmp_path / "sha256"
    git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256", folder)
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    git(folder, "tag", "v1.0.0")
    git_clone.clone(str(folder), str(tmp_path / "of-it"), git_remote.resolve(str(folder), version="1.0.0"))
    assert git_inspect.describe(str(tmp_path / "of-it")).startswith("v1.0.0-0-g")


@pytest.mark.slow
def test_submodules_are_left_alone_unless_they_are_asked_for(upstream, tmp_path):
    other = Upstream(tmp_path / "other")
    git(upstream.folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.url, "sub")
    upstream.commit("a submodule")
    target = git_remote.resolve(upstream.url, ref="main")
    git_clone.clone(upstream.url, str(tmp_path / "without"), target)
    assert os.listdir(tmp_path / "without" / "sub") == []
    git_clone.clone(upstream.url, str(tmp_path / "with"), target, submodules=True)
    assert "file" in os.listdir(tmp_path / "with" / "sub")


def test_a_commit_of_the_past_has_its_history(upstream, clone):
    folder = clone(ref=upstream.commits["v1.10.0-rc1"])
    assert git_inspect.describe(folder).startswith("v1.10.0-rc1-0-g")
    assert git(folder, "branch", "-r").split() == ["origin/main"]


def test_a_failed_clone_leaves_nothing(upstream, tmp_path):
    gone = Target("d" * 40, "main", "branch", "refs/heads/main")
    with pytest.raises(NotReady, match="cannot be cloned"):
        git_clone.clone(upstream.url, str(tmp_path / "new" / "clone"), gone)
    assert os.listdir(tmp_path / "new") == []


def test_a_no_leaves_nothing(upstream, tmp_path):
    def refuse(folder):
        assert content(folder, "file") == "v1.9.0"
        raise BadUsage("no")

    with pytest.raises(BadUsage):
        target = git_remote.resolve(upstream.url, version="1.9.0")
        git_clone.clone(upstream.url, str(tmp_path / "new" / "clone"), target, agree=refuse)
    assert os.listdir(tmp_path / "new") == []


def test_a_folder_that_exists_is_never_cloned_into(upstream, tmp_path):
    write(tmp_path / "there", "mine")
    target = git_remote.resolve(upstream.url, version="1.9.0")
    for replace in (False, True):
        with pytest.raises(NotReady):
            git_clone.clone(upstream.url, str(tmp_path / "there"), target, replace=replace)
    assert os.listdir(tmp_path / "there") == ["mine"]


def test_a_full_disk_is_one_sentence(upstream, tmp_path):
    """The limit on the size of a file stands in for a disk that is full."""
    write(upstream.folder, "large", os.urandom(300_000).hex())
    upstream.commit("large")
    program = (
        "import resource, sys; from rigger.git import clone, remote\n"
        "target = remote.resolve(sys.argv[1], ref='main')\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: clone.clone(sys.argv[1], sys.argv[2], target)\n"
        "except Exception as problem: print(type(problem).__name__, problem.message)\n"
    )
    os.mkdir(tmp_path / "disk")
    done = subprocess.run(
        [sys.executable, "-c", program, upstream.url, str(tmp_path / "disk" / "clone")],
        env={**os.environ, "PYTHONPATH": ROOT}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.startswith("NotReady") and "cannot be cloned" in done.stdout, done
    assert os.listdir(tmp_path / "disk") == []


@pytest.fixture
def stuck():
    """A server that lists the refs of a repository and then never sends it."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    asked = threading.Event()

    def serve():
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            request = b""
            while b"\r\n\r\n" not in request:
                block = peer.recv(65536)
                if not block:
                    break
                request += block
            if request.startswith(b"POST"):
                asked.set()
                continue  # no answer, and the connection stays open
            ref = b"%s refs/heads/main\n" % (b"a" * 40)
            first = b"%s HEAD\0symref=HEAD:refs/heads/main shallow\n" % (b"a" * 40)
            lines = [b"# service=git-upload-pack\n", b"", first, ref, b""]
            body = b"".join(b"%04x" % (len(line) + 4) + line if line else b"0000" for line in lines)
            kind = b"application/x-git-upload-pack-advertisement"
            peer.sendall(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
                % (kind, len(body), body)
            )

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/x.git", asked
    server.shutdown(socket.SHUT_RDWR)
    server.close()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_a_clone_leaves_nothing(stuck, tmp_path, signum):
    url, asked = stuck
    program = (
        "import sys; from rigger import errors; from rigger.git import clone, remote\n"
        "target = remote.Target('a' * 40, 'main', 'branch', 'refs/heads/main')\n"
        "try: clone.clone(sys.argv[1], sys.argv[2], target)\n"
        "except errors.Interrupted as problem: print(problem.message, problem.next_step)\n"
    )
    os.mkdir(tmp_path / "new")
    rigger = subprocess.Popen(
        [sys.executable, "-c", program, url, str(tmp_path / "new" / "clone")],
        env={**os.environ, "PYTHONPATH": ROOT}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert asked.wait(20), "the clone never began"
        rigger.send_signal(signum)
        out, _ = rigger.communicate(timeout=20)
    finally:
        rigger.kill()
        rigger.wait()
    assert "Interrupted" in out and os.listdir(tmp_path / "new") == []
    assert not [name for name in children_of(tmp_path)], "git goes on"


def children_of(folder) -> list[str]:
    """Return the command lines of processes that are about a folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace")
        except OSError:
            continue
        if str(folder) in words and "pytest" not in words:
            found.append(words)
    return found


def test_what_a_killed_rigger_left_is_cleared_away(upstream, tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    left, busy = f".clone.new-{dead.pid}-abc123", f".clone.new-{os.getpid()}-abc123"
    for name in (left, busy):
        write(tmp_path / "new" / name, "file")
    target = git_remote.resolve(upstream.url, version="1.9.0")
    git_clone.clone(upstream.url, str(tmp_path / "new" / "clone"), target)
    assert sorted(os.listdir(tmp_path / "new")) == [busy, "clone"]


def test_progress_is_shown(tmp_path):
    upstream = Upstream(tmp_path / "large")
    for number in range(300):
        write(upstream.folder, f"file-{number}", os.urandom(200).hex())
    upstream.commit("many files")
    words = []
    git_clone.clone(upstream.url, str(tmp_path / "of-it"), git_remote.resolve(upstream.url), words.append)
    assert any("%" in text for text in words) and all(text.isprintable() for text in words)


# Updates


@pytest.mark.slow
def test_from_release_to_release_and_back(upstream, clone):
    folder = clone(version="1.9.0")
    for version, tag in (("1.10.0", "1.10.0"), ("1.9.0", "v1.9.0"), ("1.10.0-rc1", "v1.10.0-rc1")):
        update(upstream, folder, version=version)
        assert git_inspect.commit(folder) == upstream.commits[tag] and content(folder, "file") == tag
        assert git_inspect.describe(folder).startswith(f"{tag}-0-g")
        assert git(folder, "status", "--porcelain") == ""


def test_from_a_release_to_a_branch(upstream, clone):
    folder = clone(version="1.10.0")
    update(upstream, folder, ref="main")
    assert git(folder, "status", "-sb") == "## main...origin/main"
    assert git_inspect.describe(folder) == f"1.10.0-1-g{upstream.commits['main'][:7]}"


def test_a_moved_tag_is_followed(upstream, clone):
    folder = clone(version="1.9.0")
    moved = upstream.commit("another 1.9.0", file="moved")
    git(upstream.folder, "tag", "-f", "v1.9.0")
    update(upstream, folder, version="1.9.0")
    assert git_inspect.commit(folder) == moved and git(folder, "rev-parse", "v1.9.0") == moved
    assert git_inspect.state(folder, moved).commits == ()
    update(upstream, folder, version="1.10.0")


@pytest.mark.slow
def test_a_force_pushed_branch_is_followed(upstream, clone):
    folder = clone(ref="main")
    git(upstream.folder, "reset", "-q", "--hard", "v1.9.0")
    forced = upstream.commit("history anew", file="anew")
    update(upstream, folder, ref="main")
    assert git_inspect.commit(folder) == forced and git(folder, "status", "-sb") == "## main...origin/main"
    git(upstream.folder, "commit", "-q", "--amend", "-m", "once more")
    git(folder, "fetch", "-q")  # now the commit that is checked out is on no branch of the repository
    assert git_inspect.state(folder).commits == ()
    update(upstream, folder, ref="main")


def test_local_changes_are_never_overwritten(upstream, clone):
    folder = clone(version="1.9.0")
    write(folder, "file")
    for number in range(7):
        write(folder, f"contrib/soil/{number}")
    git(folder, "add", "-A")
    with pytest.raises(NotReady, match="local changes") as problem:
        update(upstream, folder, version="1.10.0")
    assert "contrib/soil/0" in said(problem) and "and 3 more" in said(problem) and "stash" in said(problem)
    assert content(folder, "file") == "mine\n" and git_inspect.commit(folder) == upstream.commits["v1.9.0"]
    git(folder, "stash")
    update(upstream, folder, version="1.10.0")
    git(folder, "stash", "pop", check=False)
    assert "mine" in content(folder, "contrib/soil/0")


def test_untracked_files_in_the_way_are_named(upstream, clone):
    folder = clone(version="1.10.0")
    write(folder, "newest")
    with pytest.raises(NotReady, match="does not track.*newest"):
        update(upstream, folder, ref="main")
    assert content(folder, "newest") == "mine\n" and git_inspect.commit(folder) == upstream.commits["1.10.0"]
    write(folder, ".git/info/exclude", "newest\n")  # a file that git ignores is somebody's too
    with pytest.raises(NotReady, match="does not track.*newest"):
        update(upstream, folder, ref="main")
    assert content(folder, "newest") == "mine\n"
    os.unlink(os.path.join(folder, "newest"))
    write(folder, "beside")
    update(upstream, folder, ref="main")
    assert content(folder, "newest") == "yes" and content(folder, "beside") == "mine\n"


def test_an_untracked_file_where_a_folder_is_needed(upstream, clone):
    folder = clone(ref="main")
    upstream.commit("deeper", **{"deep/er/file": "yes"})
    write(folder, "deep")
    with pytest.raises(NotReady, match="does not track.*deep"):
        update(upstream, folder, ref="main")
    assert content(folder, "deep") == "mine\n"


@pytest.mark.slow
def test_commits_on_no_branch_are_never_left_behind(upstream, clone):
    folder = clone(version="1.9.0")
    write(folder, "file")
    git(folder, "commit", "-qam", "my work")
    assert [line.split(" ", 1)[1] for line in git_inspect.state(folder).commits] == ["my work"]
    with pytest.raises(NotReady, match="my work") as problem:
        update(upstream, folder, version="1.10.0")
    assert "switch -c NAME" in said(problem) and content(folder, "file") == "mine\n"
    git(folder, "switch", "-q", "-c", "hacking")
    update(upstream, folder, version="1.10.0")
    assert git(folder, "log", "-1", "--format=%s", "hacking") == "my work"


def test_a_branch_with_commits_of_ones_own_is_left_and_named(upstream, clone):
    folder = clone(ref="main")
    write(folder, "file")
    git(folder, "commit", "-qam", "my work")
    upstream.commit("theirs", theirs="yes")
    with pytest.raises(NotReady, match="The branch main .*my work") as problem:
        update(upstream, folder, ref="main")
    assert "branch -m main NAME" in said(problem)
    assert git(folder, "log", "-1", "--format=%s") == "my work"
    git(folder, "branch", "-m", "main", "mine")
    update(upstream, folder, ref="main")
    assert git(folder, "log", "-1", "--format=%s", "mine") == "my work"
    assert git(folder, "log", "-1", "--format=%s") == "theirs"


@pytest.mark.parametrize(
    "work, words",
    [
        (lambda folder: write(folder, "file"), "changes in file"),
        (lambda folder: write(folder, "beside"), "does not track: beside"),
        (lambda folder: (write(folder, "file"), git(folder, "stash")), "stashes: "),
        (lambda folder: (write(folder, "file"), git(folder, "commit", "-qam", "my work")), "my work"),
        (
            lambda folder: (
                git(folder, "switch", "-q", "-c", "other"),
                git(folder, "commit", "-q", "--allow-empty", "-m", "my other work"),
                git(folder, "switch", "-q", "--detach", "v1.9.0"),
            ),
            "my other work",
        ),
        (
            lambda folder: (
                git(folder, "commit", "-q", "--allow-empty", "-m", "my tagged work"),
                git(folder, "tag", "kept"),
                git(folder, "switch", "-q", "--detach", "v1.9.0"),
            ),
            "my tagged work",
        ),
    ],
)
def test_a_new_clone_is_refused_while_work_would_be_lost(upstream, clone, work, words):
    folder = clone(version="1.9.0")
    target = git_remote.resolve(upstream.url, version="1.10.0")
    work(folder)
    with pytest.raises(NotReady) as problem:
        git_clone.clone(upstream.url, folder, target, replace=True)
    assert words in said(problem) and f"mv {folder} {folder}.mine" in said(problem)
    assert git(folder, "rev-parse", "v1.9.0") == upstream.commits["v1.9.0"]


def test_a_new_clone_takes_the_place_of_the_old_one(upstream, clone, tmp_path):
    folder = clone(version="1.9.0")
    os.unlink(os.path.join(folder, ".git", "refs", "rigger", "known", upstream.commits["v1.9.0"]))
    git(folder, "fetch", "-q", "origin")
    git_clone.clone(upstream.url, folder, git_remote.resolve(upstream.url, version="1.10.0"), replace=True)
    assert git_inspect.commit(folder) == upstream.commits["1.10.0"]
    assert sorted(os.listdir(tmp_path)) == ["clone", "upstream"]


@pytest.mark.slow
def test_a_ctrl_c_while_files_change_counts_afterwards(upstream, clone):
    """Files are never a mixture of two versions: what changes them is let finish."""
    folder = clone(version="1.9.0")
    slow = os.path.join(os.path.dirname(folder), "bin")
    write(
        slow,
        "git",
        f'#!/bin/sh\ncase "$*" in *" checkout "*) sleep 1 ;; esac\nexec {shutil.which("git")} "$@"\n',
    )
    os.chmod(os.path.join(slow, "git"), 0o755)
    program = (
        "import sys; from rigger import errors; from rigger.git import clone, remote\n"
        "target = remote.resolve(sys.argv[1], version='1.10.0')\n"
        "try: clone.update(sys.argv[2], sys.argv[1], target, agree=lambda folder: print('now', flush=True))\n"
        "except errors.Interrupted as problem: print(problem.message)\n"
    )
    rigger = subprocess.Popen(
        [sys.executable, "-c", program, upstream.url, folder],
        env={**os.environ, "PYTHONPATH": ROOT, "PATH": f"{slow}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert rigger.stdout.readline() == "now\n"
    time.sleep(0.4)
    rigger.send_signal(signal.SIGINT)
    out, _ = rigger.communicate(timeout=20)
    assert "Interrupted" in out
    assert content(folder, "file") == "1.10.0" and git(folder, "status", "--porcelain") == ""


def test_a_branch_whose_name_leaves_no_room_for_the_new_one(upstream, tmp_path):
    folder = str(tmp_path / "checkout")
    git_clone.clone(upstream.url, folder, git_remote.resolve(upstream.url))
    git(upstream.folder, "branch", "-m", "main", "main/next")
    upstream.commit("more", more="yes")
    target = git_remote.resolve(upstream.url)
    git_clone.update(folder, upstream.url, target)
    assert git(folder, "symbolic-ref", "--short", "HEAD") == "main/next"
    assert git(folder, "rev-parse", "HEAD") == target.commit
    git(folder, "commit", "-q", "--allow-empty", "-m", "work of my own")
    git(upstream.folder, "branch", "-m", "main/next", "main")
    upstream.commit("still more", more="of it")
    with pytest.raises(NotReady, match="main/next in .* is in the way of main, and has commits of its own"):
        git_clone.update(folder, upstream.url, git_remote.resolve(upstream.url))
    assert git(folder, "log", "-1", "--format=%s") == "work of my own"
