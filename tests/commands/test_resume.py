"""rigger resume"""

import os

import pytest

from .test_suspend import growing, state


@pytest.fixture
def suspended(cluster):
    growing(cluster)
    cluster.rigger("suspend", "-y")
    cluster.ran()
    return cluster


@pytest.mark.slow
def test_new_machines_get_the_platform_and_its_data(suspended):
    said = suspended.rigger("resume").out
    steps = ["provider/resume", "platform/install", "platform/deploy", "platform/restore", "platform/check"]
    assert suspended.ran() == steps and "wood runs again" in said
    assert suspended.content("fruit") == "a pear" and suspended.nodes() == ["node-1", "node-2"]
    assert state(suspended) == "deployed"
    suspended.rigger("provision")
    assert "platform/deploy" not in suspended.ran()
    assert "wood is not suspended" in suspended.rigger("resume", code=2).err


@pytest.mark.slow
def test_empty_on_request(suspended):
    suspended.rigger("resume", "--empty")
    assert "platform/restore" not in suspended.ran()
    assert not os.path.exists(suspended.file("fruit")) and state(suspended) == "deployed"


@pytest.mark.slow
def test_a_backup_that_is_gone(suspended):
    [kept] = os.listdir(suspended.file("backups"))
    os.unlink(suspended.file("backups", kept))
    said = suspended.rigger("resume", code=2)
    assert f"is not here: {suspended.file('backups', kept)}" in said.err and "--empty" in said.err
    assert suspended.ran() == [] and state(suspended) == "suspended"


@pytest.mark.slow
def test_one_that_failed_goes_on_and_loses_nothing(suspended):
    suspended.script("platform", "restore", "exit 1")
    suspended.rigger("resume", code=5)
    assert state(suspended) == "suspended" and suspended.nodes() == ["node-1", "node-2"]
    # Its data is not back yet: a suspend must not take the empty platform's for it.
    suspended.ran()
    suspended.rigger("suspend", "-y")
    assert suspended.ran() == ["platform/undeploy", "provider/suspend"]
    suspended.script("platform", "restore", 'cp "$RIGGER_BACKUP_FILE" "$RIGGER_ENVIRONMENT_DIR/fruit"')
    suspended.rigger("resume")
    assert suspended.content("fruit") == "a pear" and state(suspended) == "deployed"


@pytest.mark.slow
def test_on_another_machine(suspended, rigger):
    [kept] = os.listdir(suspended.file("backups"))
    kept = suspended.file("backups", kept)
    said = suspended.rigger("save", "-o", os.path.join(rigger.folder, "wood.rigger"))
    assert f"its data is not in the bundle: take {kept} along" in said.out + said.err
    rigger.home = os.path.join(rigger.folder, "elsewhere", ".rigger")
    rigger.env["RIGGER_HOME"] = rigger.home
    rigger("configure", "--file", os.path.join(rigger.folder, "wood.rigger"), "--trust", "--no-input")
    suspended.path = rigger.path("environments", "wood")
    assert state(suspended) == "suspended"
    assert "is not here" in rigger("resume", code=2).err
    os.makedirs(suspended.file("backups"))
    os.rename(kept, suspended.file("backups", os.path.basename(kept)))
    rigger("resume")
    assert suspended.content("fruit") == "a pear"
