"""Whole runs over SSH."""

import os
import signal
import stat
import threading

import pytest
from helpers.clusters import wait_for
from helpers.machines import LOST_AFTER
from helpers.nodes import processes

MANIFEST = """
questions:
  - {name: COLOUR, default: green}
"""


@pytest.fixture
def iron(rigger, modules, machines, runtime, tmp_path):
    """An environment of that name, whose provider hands the machines out as they are."""
    for number in (1, 2, 3):
        machines.restore(number)
    rigger.home = rigger.env["RIGGER_HOME"] = str(tmp_path / "home of 100% $HOME" / ("long" * 40))
    rigger.env.update(XDG_RUNTIME_DIR=runtime, RIGGER_SSH_TIMEOUT=LOST_AFTER, RIGGER_RETRY_PAUSE="1")
    inventory_file = tmp_path / "inventory"
    inventory_file.write_text(machines.inventory())
    modules.write(
        "provider",
        "iron",
        MANIFEST,
        create=f'cat {inventory_file} >>"$RIGGER_INVENTORY_OUTPUT"',
        check="rigger-node --all true && rigger-node node-1 true",
        destroy="exit 0",
    )
    modules.write("platform", "air", 'versions: ["1"]\n', deploy='rigger-node --all sh -c "echo here"')
    rigger("configure", "--defaults", "--name", "iron", "--provider", "iron", "--platform", "air")
    yield rigger
    for number in (1, 2, 3):
        machines.restore(number)


def records(iron, event):
    import json

    with open(iron.path("environments", "iron", "audit.jsonl")) as file:
        return [r for r in map(json.loads, file) if r["event"] == event]


@pytest.mark.slow
def test_a_whole_run_has_one_connection_per_node_and_leaves_none(iron, modules, machines):
    modules.script(modules.folder + "/platforms/air", "check", "rigger-node --all true")
    before = [machines.logins(number) for number in (1, 2, 3)]
    iron("provision")
    assert [machines.logins(n) - count for n, count in zip((1, 2, 3), before, strict=True)] == [1, 1, 1]
    with open(iron.path("environments", "iron", "known_hosts")) as file:
        assert sorted(line.split()[0] for line in file) == ["node-1", "node-2", "node-3"]
    assert stat.S_IMODE(os.stat(iron.path("environments", "iron", "known_hosts")).st_mode) == 0o600
    iron("destroy", "--yes")
    with open(iron.path("environments", "iron", "known_hosts")) as file:
        assert file.read() == ""


@pytest.mark.slow
def test_an_idempotent_step_is_tried_again_when_a_node_was_lost(iron, machines):
    iron("provision")
    machines.cut(2)
    threading.Timer(7, machines.restore, [2]).start()  # who went on is asked first
    said = iron("check")
    assert "node-2 could not be reached: trying again in 1 s (2 of 3)." in said.out
    tries = [
        r for r in records(iron, "step-started") if r["command"] == "check" and r["module"] == "provider/iron"
    ]
    assert [r.get("attempt", 1) for r in tries] in ([1, 2], [1, 2, 3])
    assert len({r["log"] for r in tries}) == len(tries)
    ends = [r for r in records(iron, "step-finished") if r["run"] == tries[0]["run"]]
    assert ends[0]["lost"] == ["node-2"] and "lost" not in ends[-1]
    assert "deployed" in iron("status").out


@pytest.mark.slow
def test_a_node_that_stays_away_is_named_and_nothing_is_tried_forever(iron, machines):
    iron("provision")
    machines.cut(3)
    iron.env["RIGGER_RETRY_PAUSE"] = "0"
    said = iron("check", code=5)
    assert said.out.count("trying again") == 2
    assert "node-3 could not be reached" in said.err
    machines.restore(3)
    iron("check")


@pytest.mark.slow
def test_a_step_that_is_not_idempotent_runs_once(iron, modules, machines):
    modules.script(
        modules.folder + "/platforms/air",
        "deploy",
        'echo x >>"$RIGGER_STATE_DIR/ran"; rigger-node node-1 true',
    )
    machines.cut(1)
    iron.env["RIGGER_READY_TIMEOUT"] = "0"  # not the wait for new machines, but the step's own connection
    said = iron("provision", code=5)
    assert "node-1 could not be reached" in said.err and "again in" not in said.out
    with open(iron.path("environments", "iron", "modules", "air", "ran")) as file:
        assert file.read() == "x\n"


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_connection_outlives_a_run_that_was_stopped(iron, modules, machines, runtime, how):
    modules.script(modules.folder + "/platforms/air", "deploy", "rigger-node --all sleep 30")
    running = iron.start("provision")
    wait_for(lambda: sum(name.startswith("log.") for name in sessions(runtime)) == 3)
    running.send_signal(how)
    running.communicate(timeout=30)
    if how == signal.SIGKILL:
        for pid in processes(
            runtime
        ):  # what the step itself had started goes on, as it should, until it ends
            if os.getsid(int(pid)) != int(pid):
                os.kill(int(pid), signal.SIGKILL)
        assert processes(runtime)
        wait_for(lambda: iron("check", code=None).code != 7)


def sessions(folder):
    return [name for _, _, names in os.walk(folder) for name in names]


@pytest.mark.slow
def test_host_keys_travel_in_a_bundle(iron, machines, tmp_path):
    iron("provision")
    iron("save", "-o", tmp_path / "iron.rigger")
    home = str(tmp_path / "elsewhere")
    iron("configure", "--file", tmp_path / "iron.rigger", "--trust", "--no-input", env={"RIGGER_HOME": home})
    with open(os.path.join(home, "environments", "iron", "known_hosts")) as file:
        assert sorted(line.split()[0] for line in file) == ["node-1", "node-2", "node-3"]
    machines.new_host_key(2)
    said = iron("check", code=5, env={"RIGGER_HOME": home})
    assert "the host key of node-2 changed" in said.out + said.err
