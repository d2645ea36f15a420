"""Waiting for nodes after a create: real sshd servers that come up late, or never."""

import json
import os
import re
import signal
import threading
import time

import pytest
from helpers.clusters import ended, wait_for
from helpers.machines import LOST_AFTER, Machines

from rigger.environments.home import Home
from rigger.plans.model import Plan, Step
from rigger.runs.ready import _failed, _last_words
from rigger.runs.recovery import load_config
from rigger.runs.reporter import Silent
from rigger.runs.run import Run

MADE = 'echo create >>"$NOTED"; cat "$INVENTORY" >"$RIGGER_INVENTORY_OUTPUT"'


@pytest.fixture
def machines(tmp_path):
    with Machines(tmp_path, 2) as machines:
        yield machines


@pytest.fixture
def iron(rigger, modules, tmp_path):
    """Configure a provider with an inventory, and a platform that needs every node at once."""

    def make(nodes, ready="ready: 60s", **scripts):
        (tmp_path / "nodes").write_text("".join(json.dumps(node) + "\n" for node in nodes))
        rigger.env.update(
            RIGGER_SSH_TIMEOUT=LOST_AFTER, NOTED=str(tmp_path / "noted"), INVENTORY=str(tmp_path / "nodes")
        )
        modules.write("provider", "iron", ready + "\n", create=MADE, **scripts)
        deploy = 'echo deploy >>"$NOTED"; rigger-node --all sh -c "echo here"'
        modules.write("platform", "air", 'versions: ["1"]\n', deploy=deploy)
        rigger("configure", "--defaults", "--name", "iron", "--provider", "iron", "--platform", "air")
        return rigger

    yield make


@pytest.fixture
def later(tmp_path):
    """Do something some seconds after the machines were made, while a command runs."""
    threads = []

    def do(seconds, action, *arguments):
        def act():
            wait_for(lambda: os.path.exists(tmp_path / "noted"), 60)
            time.sleep(seconds)
            action(*arguments)

        threads.append(threading.Thread(target=act))
        threads[-1].start()

    yield do
    for thread in threads:
        thread.join()


def ran(tmp_path) -> list[str]:
    return (tmp_path / "noted").read_text().split()


@pytest.mark.slow
def test_a_node_whose_sshd_starts_later_is_waited_for(iron, machines, later, tmp_path):
    machines.stop_sshd(1)
    rigger = iron(machines.nodes())
    later(9, machines.start_sshd, 1)
    said = rigger("provision").out
    assert "Waiting up to 1 min until every node answers; not yet: node-1 (cannot be reached: " in said
    assert "Connection refused" in said and "All nodes answer, after" in said
    assert "node-2 (" not in said
    assert ran(tmp_path) == ["create", "deploy"]


@pytest.mark.slow
def test_nodes_that_answer_are_not_spoken_of(iron, machines):
    assert "answer" not in iron(machines.nodes())("provision").out


@pytest.mark.slow
def test_when_the_time_is_over_the_nodes_stay_on_record_and_provision_goes_on_waiting(
    iron, machines, tmp_path
):
    machines.stop_sshd(1)
    rigger = iron(machines.nodes(), ready="ready: 1s")
    failed = rigger("provision", code=5)
    assert "Not every node answered within 1 s; they stay on record." in failed.err
    assert re.search(r"node-1: cannot be reached: .*Connection refused", failed.err)
    assert "node-2:" not in failed.err and '"rigger provision" waits for them again' in failed.err
    with open(rigger.path("environments", "iron", "inventory.json")) as file:
        assert [node["name"] for node in json.load(file)] == ["node-1", "node-2"]
    report = json.loads(rigger("provision", "-o", "json", code=5).out)
    assert report["steps"] == [] and report["run"]
    assert ran(tmp_path) == ["create"]
    machines.start_sshd(1)
    rigger("provision")
    assert ran(tmp_path) == ["create", "deploy"]


@pytest.mark.slow
def test_a_wait_ends_at_once_on_ctrl_c_and_goes_on_later(iron, machines, tmp_path):
    machines.stop_sshd(1)
    rigger = iron(machines.nodes(), ready="ready: 10m")
    process = rigger.start("provision")
    wait_for(lambda: os.path.exists(tmp_path / "noted"))
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert (
        code == 130
        and "Interrupted while waiting until" in said
        and "repeated:\n    rigger provision\n" in said
    )
    machines.start_sshd(1)
    rigger("provision")
    assert ran(tmp_path) == ["create", "deploy"]


@pytest.mark.slow
def test_a_key_that_is_refused_may_be_let_in_later_and_is_named(iron, machines, later, tmp_path):
    keys = tmp_path / "nothing"
    keys.write_text("")
    machines.stop_sshd(1)
    machines.start_sshd(1, AuthorizedKeysFile=keys)
    rigger = iron(machines.nodes())

    def admit():
        machines.stop_sshd(1)
        machines.start_sshd(1)

    later(9, admit)
    said = rigger("provision").out
    assert "does not let us in" in said and "Permission denied" in said
    assert ran(tmp_path) == ["create", "deploy"]


@pytest.mark.slow
def test_a_login_that_is_sent_away_is_not_an_answer(iron, machines, later, tmp_path):
    machines.stop_sshd(1)
    machines.start_sshd(1, ForceCommand='sh -c "echo System is booting up. >&2; exit 1"')
    rigger = iron(machines.nodes())

    def boot():
        machines.stop_sshd(1)
        machines.start_sshd(1)

    later(9, boot)
    assert "System is booting up" in rigger("provision").out
    assert ran(tmp_path) == ["create", "deploy"]


@pytest.mark.slow
def test_a_host_key_that_is_made_anew_while_it_starts_is_not_held_against_it(iron, machines, later, tmp_path):
    nothing = tmp_path / "nothing"
    nothing.write_text("")
    machines.stop_sshd(1)
    machines.start_sshd(1, AuthorizedKeysFile=nothing)  # it shows its first host key, and lets nobody in
    rigger = iron(machines.nodes())
    later(4, machines.new_host_key, 1)
    rigger("provision")
    assert ran(tmp_path) == ["create", "deploy"]


@pytest.mark.slow
def test_ready_0_waits_for_nobody(iron, machines, tmp_path):
    machines.stop_sshd(1)
    rigger = iron(machines.nodes(), ready="ready: 0")
    rigger("provision", code=5)
    assert ran(tmp_path) == ["create", "deploy"]


@pytest.mark.slow
def test_a_node_without_any_way_to_it_is_not_waited_for(iron, tmp_path):
    rigger = iron([{"name": "paper", "address": "10.0.0.1"}])
    rigger("provision", code=5, env={"RIGGER_SSH_TIMEOUT": "1"})
    assert ran(tmp_path) == ["create", "deploy"]


@pytest.mark.slow
def test_a_node_is_asked_by_the_providers_exec(iron, tmp_path):
    answers = f"""
        [ "$#" -gt 2 ] || echo probe >>{tmp_path}/probes
        [ "$(wc -l <{tmp_path}/probes)" -gt 2 ] || {{ echo "$1 boots" >&2; exit 254; }}
        shift; exec "$@"
    """
    rigger = iron([{"name": "box", "address": "10.0.0.1"}], exec=answers)
    rigger("provision")
    assert ran(tmp_path) == ["create", "deploy"]
    assert len((tmp_path / "probes").read_text().split()) >= 3


@pytest.mark.slow
def test_the_time_may_be_given_by_whoever_waits(iron, machines):
    machines.stop_sshd(1)
    rigger = iron(machines.nodes(), ready="")
    assert "within 1 s" in rigger("provision", code=5, env={"RIGGER_READY_TIMEOUT": "1"}).err
    refused = rigger("provision", code=2, env={"RIGGER_READY_TIMEOUT": "soon"}).err
    assert "RIGGER_READY_TIMEOUT=soon is not a number of seconds" in refused


def test_after_a_create_that_failed_nobody_is_waited_for_although_the_run_goes_on(
    iron, modules, tmp_path, monkeypatch
):
    rigger = iron([{"name": "box", "address": "10.0.0.1"}], exec=f"echo probe >>{tmp_path}/probes; exit 254")
    create = f'cat {tmp_path}/nodes >"$RIGGER_INVENTORY_OUTPUT"; exit 3'
    modules.write("provider", "iron", "ready: 1s\n", create=create)
    for name in ("RIGGER_PROVIDER_PATH", "RIGGER_PLATFORM_PATH"):
        monkeypatch.setenv(name, rigger.env[name])
    environment = Home(rigger.home).get("iron")
    with environment.locked("a test") as lock:
        config = load_config(environment)
        steps = (Step(config.provider, "create", "", goes_on=True), Step(config.provider, "install", ""))
        made, installed = Run(environment, config, Silent(), lock).carry_out(Plan("provision", steps))
    assert made.exit_code == 3 and installed.good
    assert [node.name for node in environment.nodes()] == ["box"]
    assert not (tmp_path / "probes").exists()


def test_what_rigger_node_says_of_nodes():
    errors = (
        "a: error: rigger-node: a (10.0.0.1) does not let us in: Permission denied (publickey).\n"
        "a: Look at the user and the key of a in the inventory, and at the node's authorized_keys.\n"
        "b: so it goes\nb: \n"
        "error: rigger-node: of 3 nodes these failed: a (exit 255), b (not reached, or lost), c (exit 1)\n"
    )
    assert _failed(errors) == {"a": "exit 255", "b": "not reached, or lost", "c": "exit 1"}
    assert _last_words(errors, "a") == "does not let us in: Permission denied (publickey)"
    assert _last_words(errors, "b") == "so it goes" and _last_words(errors, "c") == ""
    assert _failed("error: rigger-node: the inventory has no node at all\n") is None
