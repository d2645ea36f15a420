"""Which steps a provision runs, and why."""

import os

import pytest
from helpers.clusters import MAKE_NODES
from helpers.plan_steps import AFTER_CREATE, AFTER_DEPLOY, ALL, CHECKS, why

from rigger.configuration.resolve import resolve
from rigger.environments.home import Home
from rigger.environments.state import state_of
from rigger.plans import provision as plans
from rigger.values import replace


def test_the_first_provision_runs_everything_in_order(cluster):
    reasons = why(cluster)
    assert list(reasons) == ALL
    assert reasons["provider/create"] == "first time"
    said = cluster.rigger("provision").out
    assert cluster.ran() == ALL
    assert "providers/soil/create" in said and "first time" in said


@pytest.mark.slow
def test_a_second_provision_only_checks(provisioned):
    provisioned.rigger("provision")
    assert provisioned.ran() == CHECKS
    assert provisioned.plan()["changes"] is False
    shown = provisioned.rigger("provision", "--plan").out
    assert "up to date: soil install, soil create, tree install, tree deploy" in shown
    assert provisioned.ran() == []


@pytest.mark.slow
def test_a_changed_file_that_the_scripts_share_runs_them_again(provisioned):
    os.mkdir(os.path.join(provisioned.folders["platform"], "lib"))
    with open(os.path.join(provisioned.folders["platform"], "lib", "water.sh"), "w") as file:
        file.write("rain=1\n")
    provisioned.rigger("provision")
    assert provisioned.ran() == ["platform/install", *AFTER_DEPLOY]
    with open(os.path.join(provisioned.folders["platform"], "README.rst"), "w") as file:
        file.write("words\n")
    assert list(why(provisioned)) == CHECKS


@pytest.mark.slow
def test_a_failed_check_runs_again_what_it_looked_at(provisioned):
    provisioned.script("platform", "check", "exit 3")
    provisioned.rigger("check", code=5)
    provisioned.script("platform", "check")
    provisioned.ran()
    reasons = why(provisioned)
    assert reasons["platform/install"] == reasons["platform/deploy"] == "the last check failed"
    provisioned.rigger("provision")
    assert provisioned.ran() == ["platform/install", *AFTER_DEPLOY]

    provisioned.script("provider", "check", "exit 3")
    provisioned.rigger("check", code=5)
    provisioned.script("provider", "check")
    provisioned.ran()
    provisioned.rigger("provision")
    assert provisioned.ran() == ["provider/install", *AFTER_CREATE]


@pytest.mark.slow
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


@pytest.mark.parametrize(
    ("last", "runs"),
    [
        ("provider/soil/create", ["platform/install", "platform/deploy"]),
        ("platform/tree/install", ["platform/deploy"]),
    ],
)
def test_what_a_stop_between_two_steps_kept_from_running_runs_next(provisioned, monkeypatch, last, runs):
    for name in ("RIGGER_PROVIDER_PATH", "RIGGER_PLATFORM_PATH"):
        monkeypatch.setenv(name, provisioned.rigger.env[name])
    environment = Home(provisioned.rigger.home).get("wood")
    config, history = resolve(environment), state_of(environment).steps
    done = history.done[last]
    history.done[last] = replace(done, started=done.started.with_values(seq=10**6))
    plan = plans.provision(config, history, environment.nodes(), environment.key())
    assert [f"{step.module.role}/{step.verb}" for step in plan.steps] == [*runs, *CHECKS]
    assert plan.steps[0].why == "what it follows ran since"


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_nodes_that_leave_are_known_only_until_they_left(provisioned):
    provisioned.rigger("config", "set", "NODES=1")
    provisioned.script("platform", "deploy", "exit 1")
    provisioned.rigger("provision", "--yes", code=5)
    provisioned.script("platform", "deploy", 'echo "leaving: $RIGGER_LEAVING"')
    provisioned.ran()
    provisioned.rigger("provision")
    assert provisioned.ran() == AFTER_DEPLOY
    assert provisioned.log("01-deploy") == "leaving: \n"


@pytest.mark.slow
def test_replacing_machines_is_asked_for(provisioned):
    provisioned.rigger("config", "set", "REGION=there")
    asked = provisioned.rigger("provision", code=2)
    assert "Machines will be replaced, and what is on them lost: REGION here -> there." in asked.out
    assert provisioned.ran() == []
    provisioned.rigger("provision", "--yes")
    assert provisioned.ran() == AFTER_CREATE


@pytest.mark.slow
def test_more_nodes_are_not_asked_for(provisioned):
    provisioned.rigger("config", "set", "NODES=5")
    provisioned.rigger("provision")
    assert len(provisioned.nodes()) == 5


@pytest.mark.slow
def test_again_runs_every_step(provisioned):
    provisioned.rigger("provision", "--again")
    assert provisioned.ran() == ALL


@pytest.mark.slow
def test_everything_runs_again_after_a_destroy(provisioned):
    provisioned.rigger("destroy", "--yes")
    assert provisioned.ran() == ["platform/undeploy", "provider/destroy"]
    assert set(why(provisioned).values()) >= {"first time"}
    provisioned.rigger("provision")
    assert provisioned.ran() == ALL


@pytest.mark.slow
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
