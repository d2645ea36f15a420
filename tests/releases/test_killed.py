"""A deployment that is killed at any moment, and two at once: the record tells the truth, and the same command ends right."""

import json
import os
import re
import shutil

import pytest
from helpers.clusters import ended, killed, wait_for
from helpers.killed_at import CALLS, killed_at
from helpers.shop import FAST, Shop, image

from rigger.environments.home import Home
from rigger.releases.folder import FolderStore

GROWING = ("fsync", "replace", "mkdir", "write", "pwrite")  # what a full disk refuses


@pytest.fixture
def shop(rigger, modules):
    shop = Shop(rigger, modules)
    shop.build("1")
    shop.deploy("stage", "--reason", "the first")
    return shop


class Snapshot:
    """The home as it was, to begin from there again."""

    def __init__(self, shop):
        self.shop, self.kept = shop, f"{shop.rigger.home}-kept"
        shutil.copytree(shop.rigger.home, self.kept, symlinks=True)

    def again(self):
        shutil.rmtree(self.shop.rigger.home)
        shutil.copytree(self.kept, self.shop.rigger.home, symlinks=True)


def store(shop):
    return FolderStore(Home(shop.rigger.home), "storage")


def told(shop):
    """Hold what is on record to what is so, and return how the last deployment stands."""
    records = store(shop)
    last = records.deployments("stage")[0]
    state = shop.status()["state"]
    if last.release == records.releases()[-1].id:  # the first one: nothing was begun
        assert (state, records.images("stage")) == ("confirmed", {"api": image("1")})
    elif last.status == "confirmed":
        assert shop.runs() == image("2") and records.images("stage") == {"api": image("2")}
    else:
        assert last.under_way and state == "cut off"
        assert "is cut off" in shop.rigger("release", "status").out
        moved = last.status == "applying"
        assert records.images("stage")["api"] in ({image("2")} if moved else {image("1"), image("2")})
    return last.status


def ends_right(shop, *words):
    """The same command again: one deployment of that release, confirmed, and all that follows from it."""
    shop.deploy("stage", *words)
    records = store(shop)
    assert shop.runs() == image("2") and records.images("stage") == {"api": image("2")}
    assert [one.status for one in records.deployments("stage")] == ["confirmed", "confirmed"]
    assert len(records.releases()) == 2
    assert records.log.verify().ok
    assert json.loads(shop.rigger("audit", "-o", "json").out)["outcome"] == "done"


def killed_everywhere(shop, calls, every):
    snapshot, stood, number = Snapshot(shop), set(), 1
    while True:
        code, made = killed_at(number, shop.rigger, "deploy", "stage", "-y", *FAST, calls=calls)
        if made and made < number:
            assert code == 0
            return stood, number
        assert code == -9, (number, code)
        stood.add(told(shop))
        ends_right(shop)
        snapshot.again()
        number += every


@pytest.mark.slow
def test_killed_at_some_moments(shop):
    shop.build("2")
    stood, moments = killed_everywhere(shop, ("replace",), 7)
    assert stood >= {"applying"} and moments > 20


@pytest.mark.slow
@pytest.mark.heavy
def test_killed_at_every_moment(shop):
    shop.build("2")
    stood, moments = killed_everywhere(shop, CALLS, 1)
    assert stood == {"confirmed", "requested", "applying"} and moments > 100


@pytest.mark.slow
def test_killed_at_many_records(shop):
    """Each record of the project's log has an fsync of its own, those of the environment too."""
    shop.build("2")
    stood, moments = killed_everywhere(shop, ("fsync",), 5)
    assert stood >= {"confirmed", "applying"} and moments > 40


@pytest.mark.slow
def test_a_disk_that_is_full_from_some_moment_on(shop):
    """What was not recorded was not begun; what was begun and could not be recorded counts as cut off."""
    shop.build("2")
    snapshot, number, codes = Snapshot(shop), 1, set()
    while True:
        code, made = killed_at(
            number, shop.rigger, "deploy", "stage", "-y", *FAST, calls=GROWING, fault="full"
        )
        assert code in (0, 4, 5), (number, code)
        codes.add(code)
        last = store(shop).deployments("stage")[0]
        assert last.status == "failed" or told(shop) in ("confirmed", "requested", "applying")
        if code == 0 and made < number:
            break
        if last.status == "failed":
            assert store(shop).images("stage") == {"api": image("1")} or last.applied
        shop.deploy("stage")
        assert shop.runs() == image("2") and shop.status()["state"] == "confirmed"
        assert store(shop).log.verify().ok
        snapshot.again()
        number += 19
    assert codes >= {0, 4} and number > 100


# Killed while a script runs, and then another command


@pytest.fixture
def halting(shop):
    """A shop whose deploy waits until a file is there, where its image says so."""
    with open(os.path.join(shop.platform, "deploy")) as file:
        body = file.read().partition("\n")[2]
    shop.go_on = os.path.join(shop.rigger.folder, "go-on")
    waiting = f'echo >"{shop.go_on}.here"; while [ ! -e "{shop.go_on}" ]; do sleep 0.05; done'
    halt = f"case $IMAGE_API in *halt*) {waiting} ;; esac\n"
    shop.modules.script(shop.platform, "deploy", halt + body)
    return shop


def begun(shop, *words):
    process = shop.rigger.start("deploy", "stage", "-y", *FAST, *words)
    wait_for(lambda: os.path.exists(f"{shop.go_on}.here"))
    return process


def go_on(shop):
    with open(shop.go_on, "w"):
        pass


@pytest.mark.slow
def test_killed_and_another_one_is_deployed(halting):
    halting.build("halt")
    process = begun(halting)
    assert "is locked by" in halting.status()["busy"]
    killed(process)
    assert halting.status()["state"] == "cut off" and halting.label("stage") == {"api": image("halt")}
    halting.build("2")
    said = halting.deploy("stage", code=7).err
    assert "was killed, but what it started is still running" in said
    go_on(halting)
    wait_for(lambda: halting.rigger("deploy", "stage", "-y", *FAST, code=None).code == 0)
    assert halting.runs() == image("2") and halting.label("stage") == {"api": image("2")}
    records = halting.deployments()
    assert [one["status"] for one in records] == ["confirmed", "failed", "confirmed"]
    assert records[1]["problem"] == "It was cut off."
    assert records[2]["previous"] == records[0]["release_id"] and records[2]["before"] == {"api": image("1")}


@pytest.mark.slow
def test_killed_and_rolled_back(halting):
    halting.build("halt")
    killed(begun(halting))
    go_on(halting)
    wait_for(lambda: not halting.rigger("deploy", "stage", "--rollback", "-y", *FAST, code=None).code)
    assert halting.runs() == image("1") and halting.label("stage") == {"api": image("1")}
    assert [one["status"] for one in halting.deployments()] == ["confirmed", "failed", "confirmed"]


def test_interrupted(halting):
    halting.build("halt")
    process = begun(halting)
    process.terminate()
    code, said = ended(process)
    assert code == 130, said
    last = halting.deployments()[-1]
    assert last["status"] == "failed" and "shop/deploy was interrupted after" in last["problem"]
    assert halting.label("stage") == {"api": image("1")} and halting.value() == image("1")


# Two at once


@pytest.mark.slow
def test_two_at_once(halting):
    halting.build("halt")
    first = begun(halting, "--reason", "the halting one")
    said = halting.deploy("stage", code=7).err
    assert re.search(r'Environment stage is locked by "rigger deploy stage latest" \(.*process \d+', said)
    assert "rigger deploy stage latest" in halting.json("deploy", "stage", "--again", "--plan")["busy"]
    halting.build("2")
    second = halting.rigger.start("deploy", "stage", "-y", *FAST, "--wait=1m")
    wait_for(lambda: b"Waiting" in second.stdout.peek(1000))
    go_on(halting)
    assert ended(first)[0] == 0
    code, said = ended(second)
    assert code == 0, said
    assert halting.runs() == image("2")
    assert [one["status"] for one in halting.deployments()] == ["confirmed"] * 3


def test_somebody_works_on_the_environment_itself(halting):
    """Then nothing is begun, and no label was moved."""
    halting.rigger("config", "set", f"IMAGE_API={image('halt')}")
    process = halting.rigger.start("provision")
    wait_for(lambda: os.path.exists(f"{halting.go_on}.here"))
    halting.build("2")
    said = halting.deploy("stage", code=7).err
    assert "Environment wood is locked by" in said and "--wait" in said
    assert len(halting.deployments()) == 1 and halting.label("stage") == {"api": image("1")}
    go_on(halting)
    assert ended(process)[0] == 0
