"""An approved plan is carried out as it was shown, or not at all."""

import json
import os
import random

import pytest
from helpers.repositories import git

TIMES = 20  # that each part of what a plan is made of is changed


@pytest.fixture
def cluster(cluster):
    """A cluster whose platform lies in a repository of the user's own."""
    folder = cluster.folders["platform"]
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    cluster.configure()
    return cluster


def digest(cluster, *words):
    return json.loads(cluster.rigger(*(words or ("provision",)), "--plan", "-o", "json").out)["digest"]


def refused(cluster, shown, *words):
    """Hold it to the refusal: nothing ran, and nothing was recorded."""
    before = cluster.records()
    said = cluster.rigger(*(words or ("provision",)), "-y", "--approved", shown, "-o", "json", code=8)
    report = json.loads(said.out)
    assert (report["outcome"], report["exit_code"]) == ("differs", 8)
    assert "was made of something else than what there is now" in report["error"]["message"]
    assert cluster.ran() == [] and cluster.records() == before
    return True


def test_the_plan_that_was_shown_is_carried_out(cluster):
    shown = digest(cluster)
    assert digest(cluster) == shown  # to look changes nothing
    assert f"rigger provision --approved {shown}" in cluster.rigger("provision", "--plan").out
    cluster.rigger("provision", "--approved", shown)
    assert "platform/deploy" in cluster.ran()
    assert refused(cluster, shown)  # it was made of what there is no more


def test_other_options_are_another_plan(cluster):
    assert refused(cluster, digest(cluster), "provision", "--again")


def test_a_destroy_is_planned_and_approved_too(cluster):
    cluster.rigger("provision")
    cluster.ran()
    report = json.loads(cluster.rigger("destroy", "--plan", "-o", "json").out)
    assert [step["step"] for step in report["steps"]] == ["undeploy", "destroy"] and report["removals"]
    assert cluster.ran() == []
    assert "undeploy" in cluster.rigger("destroy", "--plan").out
    cluster.rigger("config", "set", "COLOUR=blue")
    assert refused(cluster, report["digest"], "destroy")
    cluster.rigger("destroy", "-y", "--approved", digest(cluster, "destroy"))
    assert cluster.ran() == ["platform/undeploy", "provider/destroy"]


@pytest.mark.parametrize(
    "words, said",
    [
        (("--plan", "--approved", "0" * 64), "--plan shows a plan, and --approved carries one out"),
        (("--approved", "abc"), "is no digest of a plan"),
    ],
)
def test_what_is_no_digest(cluster, words, said):
    assert said in cluster.rigger("provision", *words, code=2).err


def change_a_value(cluster, chance):
    if chance.random() < 0.5:
        cluster.rigger("config", "set", f"COLOUR=c{chance.randrange(10**9)}")
    else:  # by hand
        text = cluster.content("vars").replace(
            "PROVIDER", f'X{chance.randrange(10**9)}="1"\nexport PROVIDER', 1
        )
        with open(cluster.file("vars"), "w") as file:
            file.write(text)


def change_a_byte(cluster, chance):
    role = chance.choice(["provider", "platform"])
    verb = chance.choice(
        {"provider": ["install", "create", "destroy"], "platform": ["deploy", "scale"]}[role]
    )
    path = os.path.join(cluster.folders[role], verb)
    with open(path, "rb") as file:
        content = file.read()
    at = chance.randrange(10, len(content))
    with open(path, "wb") as file:
        file.write(content[:at] + bytes([content[at] ^ 1 or 7]) + content[at + 1 :])


def change_the_commit(cluster, chance):
    git(cluster.folders["platform"], "commit", "-q", "--allow-empty", "-m", str(chance.random()))


def change_the_inventory(cluster, chance):
    nodes = (
        json.loads(cluster.content("inventory.json"))
        if os.path.exists(cluster.file("inventory.json"))
        else []
    )
    nodes.append({"name": f"node-{len(nodes) + 1}", "address": f"10.1.{len(nodes)}.{chance.randrange(250)}"})
    with open(cluster.file("inventory.json"), "w") as file:
        json.dump(nodes, file)


def run_something_else(cluster, chance):
    cluster.rigger(*chance.choice([("check",), ("run", "provider/soil/install"), ("test", "smoke")]))
    cluster.ran()


@pytest.mark.heavy
@pytest.mark.parametrize(
    "change",
    [change_a_value, change_a_byte, change_the_commit, change_the_inventory, run_something_else],
)
def test_whatever_changes_after_it_was_shown(cluster, change):
    if change is run_something_else:
        cluster.script("provider", "install", "")
        cluster.rigger("provision")
        cluster.ran()
    chance, refusals = random.Random(change.__name__), 0
    for _ in range(TIMES):
        shown = digest(cluster)
        change(cluster, chance)
        refusals += refused(cluster, shown)
    assert refusals == TIMES


@pytest.mark.slow
def test_a_request_that_was_cut_off_goes_on_with_what_was_approved(cluster):
    """Its own records and nodes are no reason to refuse it; what somebody says otherwise meanwhile is."""
    cluster.script("platform", "deploy", 'kill -9 "$PPID"')
    shown = digest(cluster)
    cluster.rigger("provision", "--request", "p-1", "--approved", shown, code=-9)
    cluster.rigger("config", "set", "COLOUR=blue")
    refused_now = cluster.rigger("provision", "--request", "p-1", "--approved", shown, code=8)
    assert "something else" in refused_now.err
    cluster.rigger("config", "unset", "COLOUR")
    cluster.rigger("provision", "--request", "p-1", "--approved", shown, code=-9)
