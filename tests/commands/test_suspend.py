"""rigger suspend"""

import json
import os

import pytest
from helpers.clusters import wait_for

from rigger.process import lookup

BACKUP = 'cp "$RIGGER_ENVIRONMENT_DIR/fruit" "$RIGGER_BACKUP_FILE"'
UNDEPLOY = 'rm -f "$RIGGER_ENVIRONMENT_DIR/fruit"'
RESTORE = 'cp "$RIGGER_BACKUP_FILE" "$RIGGER_ENVIRONMENT_DIR/fruit"'


def growing(cluster, ends=True):
    """Give the provider machines that can be suspended, and the platform data that can be kept."""
    if not ends:
        with open(os.path.join(cluster.folders["provider"], "rigger.yml"), "a") as file:
            file.write("suspend: stops\n")
    cluster.script("provider", "suspend")
    with open(os.path.join(cluster.folders["provider"], "create")) as file:
        makes = file.read().partition('"$NOTED"\n')[2]
    cluster.script("provider", "resume", makes)
    cluster.script("platform", "backup", BACKUP)
    cluster.script("platform", "undeploy", UNDEPLOY)
    cluster.script("platform", "restore", RESTORE)
    cluster.rigger("provision")
    with open(cluster.file("fruit"), "w") as file:
        file.write("a pear")
    cluster.ran()


def state(cluster):
    return json.loads(cluster.rigger("status", "-o", "json").out)["state"]


@pytest.mark.slow
def test_the_data_is_kept_and_the_machines_go(cluster):
    growing(cluster)
    said = cluster.rigger("suspend", "-y").out
    assert cluster.ran() == ["platform/backup", "platform/undeploy", "provider/suspend"]
    assert "machine node-1 (10.0.0.1) and all data on it" in said and "wood is suspended" in said
    [kept] = os.listdir(cluster.file("backups"))
    assert f"The platform's data is kept in {cluster.file('backups', kept)}." in said
    assert cluster.content("backups", kept) == "a pear"
    assert cluster.nodes() == [] and not os.path.exists(cluster.file("fruit"))
    assert state(cluster) == "suspended"
    assert "Start it again:\n    rigger resume\n" in cluster.rigger("status").out
    for verb in (["provision"], ["backup"], ["restore", cluster.file("backups", kept)], ["upgrade"]):
        assert 'wood is suspended.\n  Type "rigger resume".' in cluster.rigger(*verb, code=3).err
    assert cluster.ran() == []


def test_it_asks_first(cluster):
    growing(cluster)
    cluster.rigger("suspend", code=2)
    assert cluster.ran() == [] and state(cluster) == "deployed"


def test_machines_that_are_only_turned_off_keep_what_is_on_them(cluster):
    growing(cluster, ends=False)
    said = cluster.rigger("suspend", "-y").out
    assert cluster.ran() == ["provider/suspend"]
    assert "will be turned off; what is on them stays" in said
    assert cluster.nodes() == ["node-1", "node-2"] and cluster.content("fruit") == "a pear"
    assert state(cluster) == "suspended"
    assert "wood is suspended" in cluster.rigger("provision", code=3).err
    cluster.rigger("resume")
    assert cluster.ran() == ["provider/resume", "platform/deploy", "platform/check"]
    assert cluster.content("fruit") == "a pear" and state(cluster) == "deployed"


def test_a_platform_without_a_backup_says_so(cluster):
    growing(cluster)
    os.unlink(os.path.join(cluster.folders["platform"], "backup"))
    assert "No backup of the data is made." in cluster.rigger("suspend", "-y").out
    cluster.rigger("resume")
    assert "platform/restore" not in cluster.ran()


def test_a_provider_that_cannot_and_a_cluster_that_is_not_there(cluster):
    assert "There is no cluster to suspend in wood yet." in cluster.rigger("suspend", "-y", code=3).err
    cluster.rigger("provision")
    said = cluster.rigger("suspend", "-y", code=2)
    assert "soil cannot suspend machines: it has no script suspend." in said.err


@pytest.mark.slow
def test_a_backup_that_fails_stops_it(cluster):
    growing(cluster)
    cluster.script("platform", "backup", "exit 1")
    cluster.rigger("suspend", "-y", code=5)
    assert cluster.ran() == ["platform/backup"] and cluster.content("fruit") == "a pear"
    # Nothing was taken away: that suspend is over, and all commands work as before.
    assert state(cluster) == "deployed"
    assert "wood is not suspended" in cluster.rigger("resume", code=2).err
    cluster.rigger("test", "smoke")
    cluster.rigger("provision")
    assert "platform/restore" not in cluster.ran() and cluster.content("fruit") == "a pear"


@pytest.mark.slow
def test_a_killed_suspend_goes_on_with_the_backup_that_it_made(cluster):
    growing(cluster)
    cluster.script("platform", "undeploy", UNDEPLOY + '\n: >"$RIGGER_STATE_DIR/started"; exec sleep 60')
    started = cluster.file("modules", "tree", "started")
    running = cluster.rigger.start("suspend", "-y")
    wait_for(lambda: os.path.exists(started))
    running.kill()
    running.communicate()
    assert "a suspend did not finish" in cluster.rigger("status").out
    wait_for(lambda: not held(cluster) or end(held(cluster)))
    cluster.script("platform", "undeploy", UNDEPLOY)
    cluster.ran()
    said = cluster.rigger("suspend", "-y").out
    assert cluster.ran() == ["provider/suspend"]
    [kept] = os.listdir(cluster.file("backups"))
    assert kept in said and state(cluster) == "suspended"
    cluster.rigger("resume")
    assert cluster.content("fruit") == "a pear"


def held(cluster):
    return lookup.processes_holding(cluster.file("lock"))


def end(pids):
    """End what a killed rigger left running; the test started it."""
    for pid, _ in pids:
        os.kill(pid, 9)


@pytest.mark.slow
def test_between_two_versions_it_refuses(cluster):
    growing(cluster)
    with open(os.path.join(cluster.folders["platform"], "rigger.yml"), "a") as file:
        file.write("upgrades: {leap: {description: at once}}\n")
    cluster.script("platform", "upgrade-leap", "exit 1")
    cluster.rigger("config", "set", "VERSION=1.9.0")
    cluster.rigger("provision", "-y", "--allow-version-change")
    cluster.rigger("upgrade", "--version", "1.10.0", "--upgrade-style", "leap", code=5)
    cluster.ran()
    assert "is not finished" in cluster.rigger("suspend", "-y", code=3).err
    assert cluster.ran() == []


@pytest.mark.slow
def test_destroyed_while_it_is_suspended(cluster):
    growing(cluster)
    cluster.rigger("suspend", "-y")
    cluster.ran()
    cluster.rigger("destroy", "-y")
    assert "provider/destroy" in cluster.ran() and state(cluster) == "destroyed"
    cluster.rigger("provision")
    assert state(cluster) == "deployed"
