"""A platform's repository is cloned, updated and looked at; the repositories are real."""

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
from helpers.repositories import Canary, Upstream, git

from rigger.errors import BadUsage, NotReady, Refused
from rigger.git import archive as git_archive
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git import remote as git_remote
from rigger.git import urls as git_urls
from rigger.git.remote import Target


@pytest.fixture
def upstream(tmp_path):
    return Upstream(tmp_path / "upstream")


@pytest.fixture
def clone(upstream, tmp_path):
    """Clone what is asked for and return the folder."""

    def make(folder="clone", **asked):
        target = git_remote.resolve(upstream.url, **asked)
        path = str(tmp_path / folder)
        git_clone.clone(upstream.url, path, target)
        return path

    return make


def update(upstream, folder, **asked):
    git_clone.update(folder, upstream.url, git_remote.resolve(upstream.url, **asked))


def write(folder, name, content="mine\n"):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(content)


def content(folder, name) -> str:
    with open(os.path.join(folder, name)) as file:
        return file.read()


def said(problem) -> str:
    return f"{problem.value.message} {problem.value.next_step}"


# What a repository offers


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
    assert git_remote.releases(upstream.folder)["v1.9.0"] == "refs/tags/v1.9.0"


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


# Looking


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
    with pytest.raises(NotReady, match="dubious ownership"):
        git_inspect.describe(upstream.folder)
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


# Bundles


@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize("asked", [{"version": "1.10.0-rc1"}, {"ref": "main"}, {"version": "1.9.0"}])
def test_what_lacks_history_or_files_is_packed_without_the_network(tmp_path, asked, filters):
    upstream = Upstream(tmp_path / "upstream", filters)
    folder, there = str(tmp_path / "clone"), str(tmp_path / "there")
    target = git_remote.resolve(upstream.url, **asked)
    git_clone.clone(upstream.url, folder, target)
    shutil.rmtree(upstream.folder)
    if asked == {"version": "1.9.0"}:
        write(folder, "file")
        git(folder, "commit", "-qam", "my work")
    bundle = tmp_path / "bundle"
    bundle.write_bytes(git_archive.pack(folder))
    git_archive.unpack(str(bundle), there, git_inspect.commit(folder))
    assert git_inspect.commit(there) == git_inspect.commit(folder)
    assert content(there, "file") == content(folder, "file") and git(there, "status", "--porcelain") == ""
    assert git_inspect.local_base(there) == git_inspect.local_base(folder) == [target.commit]
    assert git_inspect.state(there).commits == git_inspect.state(folder).commits
    if "version" in asked:
        assert git_inspect.describe(there) == git_inspect.describe(folder)
    git(there, "fsck", "--no-dangling")


# Hostile repositories


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


# 200 hostile URLs and refs


def hostile_urls(program):
    """Give URLs that would start a program, or mean something else than they seem to."""
    run = f"sh -c {program}"
    helpers = ("ext", "fd", "ext::ext", "testgit", "hg", "bzr", "http", "remote-ext", "-ext", "")
    yield from (f"{helper}::{run}" for helper in helpers)
    yield from (f"{helper}::{program}" for helper in helpers)
    yield from (f"{scheme}://example.invalid/x" for scheme in
                "git git+ssh ssh+git ftp ftps ext fd rsync svn javascript data gopher HTTPS Https SSH FILE unix".split())  # fmt: skip
    options = (f"--upload-pack={program}", f"-u{program}", f"--exec={program}", f"-c core.sshCommand={program}",
               f"-oProxyCommand={program}", "--config-env=x", "-", "--", "--help", f"--template={program}")  # fmt: skip
    yield from options
    yield from (f"ssh://{option}/x" for option in options)
    yield from (f"ssh://{option}@example.invalid/x" for option in options)
    yield from (f"{option}:x" for option in options)
    yield from (f"example.invalid:{option}" for option in options)
    yield from (f"ssh://example.invalid/{option}" for option in options)
    for control in (
        "\n",
        "\r",
        "\0",
        "\x1b",
        "\t",
        "\x7f",
        "\u2028",
        "\u202e",
        "\udcff",
        "%0a",
        "%00",
        "%1B",
    ):
        yield f"https://example.invalid{control}/x"
        yield f"ssh://git@example.invalid/x{control}y"
    yield from ("https://user:token@example.invalid/x", "https://token@example.invalid/x", "ssh://u:p@example.invalid/x",
                "http://example.invalid/x", "http://127.0.0.1.example.invalid/", "http://localhost@example.invalid/x",
                "http://[::2]/x", "https:///x", "https://", "ssh://", "ssh:///x", "file://", "file://host/x",
                "file:////host/x", "https://exa mple.invalid/x", "https://example.invalid:99999/x", "https://-x/y",
                "https://x:port/y", "ssh://h:0/x", "", " ", "name", "a/b", "~root/x", "\\\\host\\x", "C:\\x", "x" * 3000,
                "https://example.invalid/" + "x" * 3000, f"$({program})", f"`{program}`", f"|{program}",
                f";{program}", f"&& {program}", f"{program};x", "https://example.invalid\\@other.invalid/")  # fmt: skip


def hostile_refs(program):
    """Give refs that git would take for something else, or not take at all."""
    yield from (f"--upload-pack={program}", f"-u{program}", "-", "--", "--all", "-h", "--exec=x", "-b")
    yield from (
        f"main{mark}" for mark in ("..x", "^", "^{commit}", "~1", ":x", "@{1}", "@{u}", "?", "*", "[x]", "\\")
    )
    yield from (f"main{control}x" for control in (" ", "\n", "\0", "\t", "\x1b", "\x7f", "\u2028", "\udcff"))
    yield from (
        "",
        "@",
        ".x",
        "x/.y",
        "x.lock",
        "x.lock/y",
        "x/",
        "/x",
        "x//y",
        "x.",
        "^x",
        ":/x",
        "+x:y",
        "x" * 300,
    )
    yield from (f"{option}/main" for option in ("-x", "--upload-pack=x", "-c", "--no-x", "--server-option=x"))
    yield from ("refs/heads/-x", "a/--upload-pack=x", f"$({program}) x", f"; {program}", f"| {program}")


def test_two_hundred_hostile_urls_and_refs(upstream, tmp_path, monkeypatch):
    canary = Canary(str(tmp_path))
    monkeypatch.chdir(upstream.folder)
    urls, refs = [*hostile_urls(canary.program)], [*hostile_refs(canary.program)]
    assert len({*urls, *refs}) >= 200
    through = 0
    for url in urls:
        try:
            git_urls.check_url(url)
        except Refused as problem:
            assert problem.exit_code == 9 and "\n" not in problem.message and problem.message.isprintable()
        else:
            assert os.path.isabs(url), (
                f"{url!r} went through"
            )  # the program's own path with something behind it
            through += 1
            with pytest.raises(NotReady):
                git_remote.releases(url)
    assert through <= 1
    for url in urls[::9]:
        with pytest.raises((Refused, NotReady)):
            git_clone.clone(url, str(tmp_path / "clone"), Target(upstream.commits["main"], "main", "branch"))
    for ref in refs:
        with pytest.raises(Refused) as problem:
            git_urls.check_ref(ref)
        assert problem.value.message.isprintable()
    for ref in refs[::9]:
        for asked in ({"ref": ref}, {"version": ref}):
            if ref:
                with pytest.raises(Refused):
                    git_remote.resolve(upstream.url, **asked)
    assert canary.ran() == "" and not os.path.exists(tmp_path / "clone")


@pytest.mark.parametrize("ref", [*hostile_refs("x")])
def test_the_rules_for_refs_are_gits_own(ref, tmp_path):
    """Whatever git refuses is refused here; the hyphen and the length are refused beyond that."""
    if "\0" in ref or ref.startswith("-") or "/-" in ref or len(ref) > 255 or not ref.isprintable():
        return
    done = subprocess.run(["git", "check-ref-format", "--allow-onelevel", ref], cwd=tmp_path)
    assert done.returncode or ref.startswith((";", "|", "$("))


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/deis/deis.git",
        "https://host.example:8443/a/b.git",
        "ssh://git@host.example/x.git",
        "ssh://host.example:2222/~me/x.git",
        "ssh://git@[2001:db8::1]:22/x.git",
        "git@github.com:deis/deis.git",
        "host:x.git",
        "file:///srv/x.git",
        "http://127.0.0.1:8080/x.git",
        "http://localhost/x",
        "http://[::1]:80/x",
        "/srv/with blank/x.git",
    ],
)
def test_what_people_use_is_accepted(url):
    assert git_urls.check_url(url) == url


def test_folders_become_absolute(tmp_path, monkeypatch, private_home):
    monkeypatch.chdir(tmp_path)
    assert git_urls.check_url("./x") == str(tmp_path / "x") and git_urls.check_url("..") == str(
        tmp_path.parent
    )
    assert git_urls.check_url("~/x") == str(private_home / "x") and git_urls.check_url(".") == str(tmp_path)


@pytest.mark.parametrize(
    "ref", ["main", "feature/x-y", "v1.2.3", "refs/heads/main", "a" * 40, "zweig-ä", "HEAD"]
)
def test_refs_that_people_use_are_accepted(ref):
    assert git_urls.check_ref(ref) == ref
