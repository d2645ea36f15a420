"""Which steps a provision runs, and why."""

import os

import pytest
from helpers.clusters import MAKE_NODES, Cluster

ALL = ["provider/install", "provider/create", "platform/install", "platform/deploy", "platform/check"]
CHECKS = ["provider/check", "platform/check"]
AFTER_CREATE = ["provider/create", "platform/install", "platform/deploy", "platform/check"]
AFTER_DEPLOY = ["platform/deploy", "provider/check", "platform/check"]


@pytest.fixture
def cluster(rigger, modules):
    cluster = Cluster(rigger, modules)
    cluster.configure()
    return cluster


@pytest.fixture
def provisioned(cluster):
    cluster.rigger("provision")
    assert cluster.ran() == ALL
    return cluster


def why(cluster) -> dict:
    return {f"{row['module'].partition('/')[0]}/{row['step']}": row["why"] for row in cluster.plan()["steps"]}


def test_the_first_provision_runs_everything_in_order(cluster):
    reasons = why(cluster)
    assert list(reasons) == ALL
    assert reasons["provider/create"] == "first time"
    said = cluster.rigger("provision").out
    assert cluster.ran() == ALL
    assert "providers/soil/create" in said and "first time" in said


def test_a_second_provision_only_checks(provisioned):
    provisioned.rigger("provision")
    assert provisioned.ran() == CHECKS
    assert provisioned.plan()["changes"] is False
    shown = provisioned.rigger("provision", "--plan").out
    assert "up to date: soil install, soil create, tree install, tree deploy" in shown
    assert provisioned.ran() == []


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("COMMENT=something else", CHECKS),
        ("TOOLS=many", ["provider/install", *CHECKS]),
        ("COLOUR=red", AFTER_DEPLOY),
        ("MIRROR=near", ["platform/install", *AFTER_DEPLOY]),
        ("VERSION=1.9.0", ["platform/install", *AFTER_DEPLOY]),
        ("NODES=3", AFTER_CREATE),
        ("TOKEN=a-secret-token", AFTER_CREATE),
        ("REGION=there", AFTER_CREATE),
    ],
)
def test_a_changed_value_runs_the_steps_that_it_concerns(provisioned, assignment, expected):
    provisioned.rigger("config", "set", assignment)
    provisioned.rigger("provision", "--yes")
    assert provisioned.ran() == expected
    provisioned.rigger("provision")
    assert provisioned.ran() == CHECKS


def test_a_value_that_is_changed_back_needs_nothing(provisioned):
    provisioned.rigger("config", "set", "COLOUR=red")
    assert why(provisioned)["platform/deploy"] == "COLOUR green -> red"
    provisioned.rigger("config", "unset", "COLOUR")
    assert list(why(provisioned)) == CHECKS


def test_a_secret_is_not_shown_as_a_reason(provisioned):
    provisioned.rigger("config", "set", "TOKEN=swordfish-1")
    assert why(provisioned)["provider/create"] == "TOKEN is new"
    provisioned.rigger("provision")
    provisioned.rigger("config", "set", "TOKEN=swordfish-2")
    assert why(provisioned)["provider/create"] == "TOKEN is new"
    assert "swordfish" not in provisioned.rigger("provision").out + provisioned.content("audit.jsonl")


def test_a_reason_shows_a_hostile_value_on_one_short_line(provisioned):
    provisioned.rigger("config", "set", "COLOUR=red\x1b]0;title\x07\n" + "x" * 5000)
    said = provisioned.rigger("provision")
    assert "\x1b" not in said.out and "\x07" not in said.out
    assert max(map(len, said.out.splitlines())) < 300


def test_a_changed_script_runs_again_and_what_follows_from_it(provisioned):
    provisioned.script("platform", "install", "echo newer")
    assert why(provisioned)["platform/install"] == "its script changed"
    provisioned.rigger("provision")
    assert provisioned.ran() == ["platform/install", *AFTER_DEPLOY]
    provisioned.script("platform", "check", "echo more careful")
    provisioned.rigger("provision")
    assert provisioned.ran() == CHECKS


def test_a_changed_file_that_the_scripts_share_runs_them_again(provisioned):
    os.mkdir(os.path.join(provisioned.folders["platform"], "lib"))
    with open(os.path.join(provisioned.folders["platform"], "lib", "water.sh"), "w") as file:
        file.write("rain=1\n")
    provisioned.rigger("provision")
    assert provisioned.ran() == ["platform/install", *AFTER_DEPLOY]
    with open(os.path.join(provisioned.folders["platform"], "README.rst"), "w") as file:
        file.write("words\n")
    assert list(why(provisioned)) == CHECKS


def test_a_failed_check_runs_again_what_it_looked_at(provisioned):
    provisioned.script("platform", "check", "exit 3")
    provisioned.rigger("check", code=5)
    provisioned.script("platform", "check")
    provisioned.ran()
    assert why(provisioned)["platform/deploy"] == "the last check failed"
    provisioned.rigger("provision")
    assert provisioned.ran() == AFTER_DEPLOY

    provisioned.script("provider", "check", "exit 3")
    provisioned.rigger("check", code=5)
    provisioned.script("provider", "check")
    provisioned.ran()
    provisioned.rigger("provision")
    assert provisioned.ran() == AFTER_CREATE


def test_a_check_that_is_well_again_runs_nothing(provisioned):
    provisioned.script("platform", "check", "exit 3")
    provisioned.rigger("check", code=5)
    provisioned.script("platform", "check")
    provisioned.rigger("check")
    assert list(why(provisioned)) == CHECKS


def test_an_unfinished_create_is_looked_at_first(cluster):
    cluster.script("provider", "create", "exit 7")
    cluster.script("provider", "check", "exit 1")
    cluster.rigger("provision", code=5)
    assert cluster.ran() == ["provider/install", "provider/create"]
    cluster.script("provider", "create", MAKE_NODES)
    reasons = why(cluster)
    assert list(reasons) == ["provider/check", *AFTER_CREATE]
    assert reasons["provider/check"] == "create did not finish: first see what exists"
    assert "(exit 7)" in reasons["provider/create"]
    cluster.rigger("provision")  # the check finds the machines wanting, and that does not stop anything
    assert cluster.ran() == ["provider/check", *AFTER_CREATE]


def test_fewer_nodes_leave_after_the_platform_let_them_go(provisioned):
    provisioned.rigger("config", "set", "NODES=3")
    provisioned.rigger("provision")
    assert provisioned.nodes() == ["node-1", "node-2", "node-3"]
    provisioned.ran()
    provisioned.script("platform", "scale", 'echo "leaving: $RIGGER_LEAVING"')
    provisioned.rigger("config", "set", "NODES=1")
    asked = provisioned.rigger("provision", code=2)
    assert "2 machines will be removed with all their data: node-2 and node-3." in asked.out
    assert "--yes" in asked.err
    assert provisioned.ran() == []
    provisioned.rigger("provision", "--yes")
    assert provisioned.ran() == ["platform/scale", *AFTER_CREATE]
    assert provisioned.log("01-scale") == "leaving: node-2 node-3\n"
    assert provisioned.nodes() == ["node-1"]


def test_the_nodes_that_leave_are_known_only_until_they_left(provisioned):
    provisioned.rigger("config", "set", "NODES=1")
    provisioned.script("platform", "deploy", "exit 1")
    provisioned.rigger("provision", "--yes", code=5)
    provisioned.script("platform", "deploy", 'echo "leaving: $RIGGER_LEAVING"')
    provisioned.ran()
    provisioned.rigger("provision")
    assert provisioned.ran() == AFTER_DEPLOY
    assert provisioned.log("01-deploy") == "leaving: \n"


def test_replacing_machines_is_asked_for(provisioned):
    provisioned.rigger("config", "set", "REGION=there")
    asked = provisioned.rigger("provision", code=2)
    assert "Machines will be replaced, and what is on them lost: REGION here -> there." in asked.out
    assert provisioned.ran() == []
    provisioned.rigger("provision", "--yes")
    assert provisioned.ran() == AFTER_CREATE


def test_more_nodes_are_not_asked_for(provisioned):
    provisioned.rigger("config", "set", "NODES=5")
    provisioned.rigger("provision")
    assert len(provisioned.nodes()) == 5


def test_again_runs_every_step(provisioned):
    provisioned.rigger("provision", "--again")
    assert provisioned.ran() == ALL


def test_everything_runs_again_after_a_destroy(provisioned):
    provisioned.rigger("destroy", "--yes")
    assert provisioned.ran() == ["platform/undeploy", "provider/destroy"]
    assert set(why(provisioned).values()) >= {"first time"}
    provisioned.rigger("provision")
    assert provisioned.ran() == ALL


def test_everything_runs_again_after_half_a_destroy(provisioned):
    provisioned.script("provider", "destroy", "exit 1")
    provisioned.rigger("destroy", "--yes", code=5)
    provisioned.ran()
    assert why(provisioned)["provider/create"].startswith("a destroy was begun in run ")
    assert "a destroy did not finish" in provisioned.rigger("status").out
    provisioned.script("provider", "create", MAKE_NODES + 'kill -9 "$PPID"')
    provisioned.rigger("provision", code=-9)
    provisioned.ran()
    provisioned.script("provider", "create", MAKE_NODES)
    provisioned.rigger("provision")
    assert provisioned.ran() == ["provider/check", *ALL[1:]]
    assert "deployed since" in provisioned.rigger("status").out
    provisioned.rigger("provision")
    assert provisioned.ran() == CHECKS


def test_a_destroy_of_the_platform_alone_is_remembered(provisioned):
    provisioned.script("platform", "undeploy", 'kill -9 "$PPID"')
    provisioned.rigger("destroy", "--yes", code=-9)
    provisioned.ran()
    provisioned.rigger("provision")
    assert provisioned.ran() == ["platform/install", *AFTER_DEPLOY]


def test_destroy_before_anything_was_made(cluster):
    cluster.rigger("destroy", "--yes")
    assert cluster.ran() == ["provider/destroy"]
