"""Programs that nobody installed on a node, and nodes that proxies are told of: on folders of this machine."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile

import pytest
from helpers.folder_nodes import Folders
from helpers.steps import LIBEXEC

PLATFORM = "-".join([os.uname().sysname, os.uname().machine])


class Node(Folders):
    """A folder as a node, with a cache for what is fetched."""

    def __init__(self, tmp):
        super().__init__(tmp, "dash")
        self.env.update(RIGGER_CACHE_DIR=str(tmp / "cache"), RIGGER_PYTHON=sys.executable)

    def run(self, program, *argv, code=0, **more):
        done = subprocess.run(
            [os.path.join(LIBEXEC, program), *argv],
            env={**self.env, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, done
        return done

    def archive(self, text):
        """Make a release's archive with the program `greet`; returns its URL and its SHA-256."""
        folder = self.tmp / "release" / "greet-1.0"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "greet").write_text(f"#!/bin/sh\necho {text} $1\n")
        (folder / "greet").chmod(0o755)
        path = self.tmp / "greet-1.0.tar.gz"
        with tarfile.open(path, "w:gz") as file:
            file.add(folder, "greet-1.0")
        return path.as_uri(), hashlib.sha256(path.read_bytes()).hexdigest()

    def says(self, path, *argv):
        return subprocess.run([path, *argv], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


def test_a_program_of_the_path_is_used_as_it_is(node):
    assert node.run("rigger-program", "node-1", "env").stdout.strip().endswith("/env")
    assert not (node.home() / ".local").exists()


def test_a_release_is_fetched_checked_and_goes_without_a_trace(node):
    url, sha256 = node.archive("hello")
    words = ("node-1", "greet", "--archive", "Plan9-mips", url, sha256, "--archive", PLATFORM, url, sha256)
    path = node.run("rigger-program", *words).stdout.strip()
    assert path.startswith(str(node.home())) and node.says(path, "you") == "hello you"
    os.unlink(url.removeprefix("file://"))
    assert node.run("rigger-program", *words).stdout.strip() == path
    words = ("node-2", *words[1:])
    assert node.says(node.run("rigger-program", *words).stdout.strip()) == "hello"
    node.run("rigger-program", "--remove", "node-1", "greet")
    node.run("rigger-program", "--remove", "node-1", "greet")
    assert not [name for _, _, names in os.walk(node.home()) for name in names]


def test_what_is_not_the_release_is_refused_and_all_that_was_tried_is_named(node):
    url, _ = node.archive("evil")
    words = ("--archive", PLATFORM, url, "0" * 64, "--archive", PLATFORM, url + ".gone", "1" * 64)
    said = node.run("rigger-program", "node-1", "greet", *words, "--debian", "no-such-package", code=1).stderr
    assert f"{url}: refused, its SHA-256 is not {'0' * 64}" in said and f"{url}.gone: curl: (37)" in said
    assert "no-such-package" in said and "install it there yourself" in said
    assert not [name for _, _, names in os.walk(node.home()) for name in names if name == "greet"]


@pytest.mark.slow
def test_a_mirror_is_asked_first(node):
    url, sha256 = node.archive("hello")
    words = ("--archive", PLATFORM, "https://nowhere.invalid/greet-1.0.tar.gz", sha256)
    node.run("rigger-program", "node-1", "greet", *words, code=1)
    path = node.run("rigger-program", "node-1", "greet", *words, RIGGER_MIRROR=str(node.tmp)).stdout.strip()
    assert node.says(path) == "hello"


@pytest.mark.slow  # asks a package manager
def test_a_package_of_debian_is_unpacked_with_the_libraries_that_are_missing(node):
    simulated = subprocess.run(["apt-get", "--simulate", "install", "hello"], capture_output=True, text=True)
    if simulated.returncode or "Inst hello" not in simulated.stdout:
        pytest.skip("apt-get has no hello to give here")
    path = node.run("rigger-program", "node-1", "hello", "--debian", "hello").stdout.strip()
    assert path.startswith(str(node.home())) and node.says(path) == "Hello, world!"


def test_proxies_are_told_of_a_node_and_one_that_cannot_be_told_holds_nothing_up(node):
    def module(status, where, *command, role="addon"):
        return {"role": role, "status": status, "output": {"drain": {"node": where, "command": [*command]}}}

    write = ("sh", "-c", 'echo "$@" >>told', "two words")
    modules = {
        "broken": module("applied", "node-2", "false"),
        "proxy": module("applied", "node-1", *write),
        "failed": module("failed", "node-2", *write),
        "kiln": {"role": "platform", "status": "applied", "output": {}},
    }
    state = node.tmp / "state.json"
    state.write_text(json.dumps({"modules": modules}))
    said = node.run("rigger-drain", "node-3", RIGGER_STATE=str(state)).stderr
    node.run("rigger-drain", "--back", "node-3", RIGGER_STATE=str(state))
    assert (node.home() / "told").read_text() == "drain node-3\nback node-3\n"
    assert "warning: broken on node-2 was not told" in said and not (node.home("node-2") / "told").exists()
    state.write_text('{"modules": {}}')
    assert node.run("rigger-drain", "node-3", RIGGER_STATE=str(state)).stderr == ""
    node.run("rigger-drain", code=2)


def test_a_service_is_told_with_a_signal(node):
    node.service(
        "start", "node-1", "web", "--", "sh", "-c", "trap 'echo again' HUP; while :; do sleep 0.1; done"
    )
    pid = node.pid()
    try:
        node.service("signal", "node-1", "web", "HUP")
        for _ in range(100):
            if "again" in node.service("logs", "node-1", "web"):
                break
        assert "again" in node.service("logs", "node-1", "web") and node.pid() == pid
        assert "which signal?" in node.service("signal", "node-1", "web", "KILL", code=2)
    finally:
        node.service("remove", "node-1", "web")
    assert "no service web" in node.service("signal", "node-1", "web", "HUP", code=4)
