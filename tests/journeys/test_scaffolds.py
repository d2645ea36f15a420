"""What `provider new` and `platform new` write lives a cluster's whole life, as it was written."""

import contextlib
import os
import signal
import sys

import pytest
from helpers.clusters import wait_for
from helpers.processes import at_home_below


class Written:
    """An environment of scaffolds, and the folders that stand for its machines."""

    def __init__(self, rigger, platform=(), provider=None):
        self.rigger = rigger
        rigger("platform", "new", "hello", *platform)
        named = "local"
        if provider is not None:
            rigger("provider", "new", "soil", *provider)
            named = "./soil"
        rigger(
            "configure",
            "--defaults",
            "--name",
            "hello",
            "--platform",
            "./hello",
            "--provider",
            named,
            "--version",
            "1.0.0",
        )
        self.id = rigger("config", "get", "HELLO_ID").out.strip()
        self.folder = rigger.path("environments", "hello", "modules", "soil", "machines")
        if provider is None:
            self.folder = os.path.join(os.environ["HOME"], ".local", "share", "rigger", "machines", self.id)

    def said(self, number):
        return self.content(number, "said")

    def count(self, number):
        return int(self.content(number, "count"))

    def content(self, number, name):
        with open(os.path.join(self.folder, f"node-{number}", "hello", name)) as file:
            return file.read()

    def processes(self):
        """Return what runs with one of the machines' folders for its home."""
        return at_home_below(self.folder)


@pytest.fixture
def written(rigger):
    made = []

    def make(**kinds):
        made.append(Written(rigger, **kinds))
        return made[-1]

    yield make
    for one in made:
        for pid in one.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("provider", [None, (), ("--terraform",)], ids=["local", "scripts", "terraform"])
def test_a_life_from_provision_to_destroy(written, provider, tmp_path):
    one = written(provider=provider)
    rigger = one.rigger
    rigger("provision")
    rigger("test", "smoke")
    # A greeter that dies comes back and goes on counting; one that was stopped is missed by check.
    before = one.count(1)
    for pid in one.processes():
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/cmdline") as file:
            if "./greeter" in file.read().split("\0"):
                os.kill(pid, signal.SIGKILL)
    wait_for(lambda: one.count(1) > before + 1)
    backup = str(tmp_path / "counted")
    wait_for(lambda: one.count(2) > 2)
    rigger("backup", "-f", backup)
    saved = one.count(1)
    # Up, both ways, and back: the data stay.
    rigger("upgrade", "--version", "1.1.0", "--upgrade-style", "graceful")
    assert one.said(1) == "Hello from node-1, version 1.1.0\n" and one.count(1) > saved
    rigger("upgrade", "--version", "1.0.0", "--upgrade-style", "inplace", "--allow-downgrade")
    assert one.said(2) == "Hello from node-2, version 1.0.0\n" and one.count(1) > saved
    # More nodes, another greeting, fewer nodes.
    rigger("config", "set", "NODES=3", "HELLO_GREETING=Ahoy")
    rigger("provision")
    assert one.said(3) == "Ahoy from node-3, version 1.0.0\n"
    rigger("config", "set", "NODES=2")
    rigger("provision", "-y")
    assert not os.path.exists(os.path.join(one.folder, "node-3"))
    late = one.count(1)
    assert late > saved + 5
    rigger("restore", backup, "-y")
    assert saved <= one.count(1) < late
    rigger("check")
    rigger("destroy", "-y")
    assert one.processes() == []
    assert not os.path.exists(one.folder) or os.listdir(one.folder) == []


@pytest.mark.slow
def test_a_life_by_playbooks(written, monkeypatch):
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    monkeypatch.setenv("PATH", path)
    one = written(platform=("--ansible",), provider=("--ansible",))
    rigger = one.rigger
    rigger.env["PATH"] = path
    rigger("provision")
    assert one.said(2) == "Hello from node-2, version 1.0.0\n"
    rigger("upgrade", "--version", "1.1.0", "--upgrade-style", "graceful")
    assert one.said(2) == "Hello from node-2, version 1.1.0\n"
    rigger("config", "set", "NODES=1")
    rigger("provision", "-y")
    rigger("check")
    rigger("destroy", "-y")
    assert one.processes() == [] and not os.path.exists(one.folder)
    assert not os.path.exists(os.path.expanduser("~/hello")) and not os.path.exists(
        os.path.expanduser("~/.ansible")
    )


def test_two_tools_at_once_are_refused(rigger):
    said = rigger("provider", "new", "soil", "--terraform", "--ansible", code=2)
    assert "--terraform and --ansible exclude each other" in said.err
