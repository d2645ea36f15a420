"""rigger backup and rigger restore"""

import json
import os
import sys

import pexpect
import pytest
from helpers.second_machine import forest

from rigger.text import short_home


@pytest.fixture
def cluster(rigger, modules):
    cluster = forest(rigger, modules)
    cluster.configure("--set", "VERSION=1.9.0")
    cluster.rigger("provision")
    cluster.ran()
    return cluster


def test_a_backup(cluster):
    said = cluster.rigger("backup")
    [name] = os.listdir(cluster.file("backups"))
    path = cluster.file("backups", name)
    assert (
        f"The data is in:\n  {short_home(path)}\n" in said.out
        and f"\n    rigger restore {path}\n" in said.out
    )
    assert "keys: 7" in said.out
    assert cluster.ran() == ["platform/backup"]
    with open(path) as file:
        assert file.read() == "data\n"
    assert cluster.plan()["changes"] is False


@pytest.mark.slow
def test_a_backup_to_a_file_of_ones_own(cluster, tmp_path):
    found = json.loads(cluster.rigger("backup", "-f", "mine", "-o", "json").out)
    assert found["file"] == str(tmp_path / "mine") and found["steps"][0]["figures"] == {"keys": "7"}
    assert "is there already" in cluster.rigger("backup", "-f", "mine", code=2).err
    assert "no folder" in cluster.rigger("backup", "-f", "nowhere/mine", code=2).err
    assert cluster.ran() == ["platform/backup"]


def test_a_backup_that_fails_or_writes_nothing(cluster):
    cluster.script("platform", "backup", "exit 3")
    assert "backup exited 3" in cluster.rigger("backup", code=5).err
    cluster.script("platform", "backup", "")
    failed = cluster.rigger("backup", code=5)
    assert "no backup was written to" in failed.err and "The data is in" not in failed.out


def test_platforms_without_them(rigger):
    rigger("configure", "--defaults", "--name", "x", "--platform", "noop", "--provider", "noop")
    assert "noop has no backup" in rigger("backup", code=2).err
    with open(rigger.path("file"), "w"):
        pass
    assert "noop has no restore" in rigger("restore", rigger.path("file"), "--yes", code=2).err


@pytest.mark.slow
def test_a_restore_is_agreed_to(cluster, tmp_path):
    cluster.rigger("backup", "-f", "mine")
    cluster.ran()
    refused = cluster.rigger("restore", "mine", code=2)
    assert f"All data of wood will be replaced by what is in {tmp_path}/mine." in refused.out
    assert "There is no terminal to ask on" in refused.err and cluster.ran() == []
    assert "There is no file" in cluster.rigger("restore", "nothing", "--yes", code=2).err
    cluster.rigger("restore", "mine", "--yes")
    assert cluster.ran() == ["platform/restore", "platform/check"]
    assert cluster.content("modules", "tree", "restored") == "data\n"
    assert cluster.records()[-1]["event"] == "restored"


@pytest.mark.slow
def test_a_restore_is_asked_about_on_a_terminal(cluster):
    cluster.rigger("backup", "-f", "mine")
    cluster.ran()
    for answer, code in (("n", 10), ("y", 0)):
        child = pexpect.spawn(
            sys.executable,
            ["-m", "rigger", "restore", "mine"],
            env=cluster.rigger.env,
            cwd=cluster.rigger.folder,
            timeout=30,
            dimensions=(30, 120),
        )
        child.expect("Replace the data")
        child.send(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == code, child.before
        assert cluster.ran() == ([] if code else ["platform/restore", "platform/check"])


@pytest.mark.slow
def test_a_restore_that_fails_can_be_repeated(cluster):
    cluster.rigger("backup", "-f", "mine")
    cluster.script("platform", "restore", "exit 3")
    assert "restore exited 3" in cluster.rigger("restore", "mine", "--yes", code=5).err
    assert "restored" not in [record["event"] for record in cluster.records()]
    cluster.script("platform", "restore", "")
    assert "wood has the data of" in cluster.rigger("restore", "mine", "--yes").out
