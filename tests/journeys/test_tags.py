"""Two people and a cluster whose nodes never answer: its provider keeps the claim in tags of its own."""

import json
import os
import signal

import pytest
from helpers.clusters import wait_for
from helpers.second_machine import elsewhere

CREATE = """
    : >"$SHARED/cluster"
    echo "$NODES" >>"$SHARED/made"
    n=0
    while [ "$n" -lt "$NODES" ]; do
        n=$((n + 1))
        echo "{\\"name\\": \\"node-$n\\", \\"address\\": \\"192.0.2.$n\\"}" >>"$RIGGER_INVENTORY_OUTPUT"
    done
    while [ -e "$SHARED/gate" ]; do : >"$SHARED/waiting"; sleep 0.1; done
"""
CLAIM = """
    [ ! -e "$SHARED/deaf" ] || exit 1
    case $1 in
        read) [ ! -e "$SHARED/tags" ] || printf 'claim %s\\n' "$(cat "$SHARED/tags")" ;;
        leave) [ ! -e "$SHARED/cluster" ] || { printf '%s\\n' "$2" >"$SHARED/tags" && echo taken; } ;;
    esac
"""
MANIFEST = """
    suspend: stops
    ready: 0
    questions:
      - {name: NODES, type: integer, default: 2}
"""


class Two:
    """Ada, who configured the cluster, and Bob, who loaded what she saved; both see its tags."""

    def __init__(self, rigger, modules, folder):
        self.folder, self.shared = str(folder), str(folder / "shared")
        os.makedirs(self.shared)
        rigger.env["SHARED"] = self.shared
        provider = modules.write("provider", "cloud", MANIFEST)
        for verb, body in {
            "create": CREATE,
            "claim": CLAIM,
            "exec": "exit 254",
            "suspend": "",
            "resume": "",
            "destroy": '[ ! -e "$SHARED/stuck" ] || exit 3; rm -f "$SHARED/cluster" "$SHARED/tags"',
        }.items():
            modules.script(provider, verb, body)
        self.ada, self.bob = rigger, elsewhere(rigger, folder, "bob")
        rigger("configure", "--no-input", "--name", "ship", "--provider", "cloud", "--platform", "noop")

    def hand_over(self, giver, taker):
        path = os.path.join(self.folder, f"{len(os.listdir(self.folder))}.rigger")
        giver("save", "-o", path)
        taker("configure", "--no-input", "--trust", "--file", path)

    def together(self):
        self.ada("provision")
        self.hand_over(self.ada, self.bob)

    def path(self, name):
        return os.path.join(self.shared, name)

    def made(self):
        with open(self.path("made")) as file:
            return file.read().split()

    def tags(self):
        with open(self.path("tags")) as file:
            return json.load(file)

    def keep(self, tags):
        with open(self.path("tags"), "w") as file:
            file.write(json.dumps(tags))


@pytest.fixture
def two(rigger, modules, tmp_path):
    return Two(rigger, modules, tmp_path)


@pytest.mark.slow
def test_a_record_that_is_behind_acts_neither_on_nodes_that_do_not_answer_nor_on_none(two):
    two.together()
    two.ada("config", "set", "NODES=1")
    two.ada("provision", "-y")
    for command in (("provision", "-y", "--again"), ("destroy", "-y"), ("suspend", "-y"), ("check",)):
        said = two.bob(*command, code=8).err
        assert 'continued with another one ("rigger provision" at ' in said
    assert two.made() == ["2", "1"] and two.tags()["members"] == ["node-1"]

    two.hand_over(two.ada, two.bob)
    two.bob("suspend", "-y")
    assert '("rigger suspend" at ' in two.ada("suspend", "-y", code=8).err
    two.hand_over(two.bob, two.ada)
    two.ada("resume")
    assert '("rigger resume" at ' in two.bob("resume", code=8).err
    two.ada("destroy", "-y")
    two.ada("provision")


@pytest.mark.slow
def test_what_a_record_knows_nothing_of_is_not_made_twice(two):
    two.hand_over(two.ada, two.bob)
    two.ada("provision")
    assert "is behind" in two.bob("provision", "-y", code=8).err
    said = two.bob("provision", "-y", "--take-over")
    assert "Taken over from " in said.out + said.err
    assert "is behind" in two.ada("provision", "-y", "--again", code=8).err


@pytest.mark.slow
def test_tags_that_are_gone_are_an_alarm_unless_this_record_destroyed_it(two):
    two.together()
    two.ada("destroy", "-y")
    assert (
        "The claim of ship is gone from the tags of cloud"
        in two.bob("provision", "-y", "--again", code=8).err
    )
    two.ada("provision")
    two.ada("destroy", "-y")


def test_a_destroy_that_failed_is_in_the_tags(two):
    two.ada("provision")
    before = two.tags()
    open(two.path("stuck"), "w").close()
    two.ada("destroy", "-y", code=5)
    assert two.tags() != before and two.tags()["command"] == "rigger destroy"
    os.unlink(two.path("stuck"))
    two.ada("destroy", "-y")


@pytest.mark.slow
def test_a_run_that_was_killed_stands_in_the_tags(two):
    two.together()
    open(two.path("gate"), "w").close()
    running = two.ada.start("provision", "-y", "--again")
    wait_for(lambda: os.path.exists(two.path("waiting")))
    running.send_signal(signal.SIGKILL)
    running.communicate()
    os.unlink(two.path("gate"))
    assert "is behind" in two.bob("provision", "-y", "--again", code=8).err
    wait_for(lambda: two.ada("provision", "-y", "--again", code=None).code == 0)


@pytest.mark.slow
def test_tags_may_be_short_or_say_what_no_rigger_wrote(two):
    two.together()
    two.bob("provision", "-y", "--again")
    whole = two.tags()
    short = {"serial": whole["serial"], "head": whole["head"][:12]}
    two.keep(short)
    said = two.ada("provision", "-y", code=8).err
    assert "somebody continued with another one, and this one does not know of it.\n" in said
    two.bob("check")
    for spoilt in ({**short, "head": whole["head"][:11]}, {**short, "head": "0" * 12}):
        two.keep(spoilt)
        two.bob("check", code=8)
    two.keep({"serial": "many"})
    assert "the tags of cloud is not one that this rigger understands" in two.bob("check", code=8).err


@pytest.mark.slow
def test_a_provider_that_cannot_tell_is_named_and_a_test_leaves_the_tags(two):
    two.together()
    before = two.tags()
    two.ada("provision")
    assert two.tags() == before
    open(two.path("deaf"), "w").close()
    said = two.ada("provision", "-y", "--again").out
    assert "the tags of cloud did not answer" in said
    assert "who changed the cluster last could not be written to the tags of cloud" in said.lower()
