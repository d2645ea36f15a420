"""Runs that are killed, stopped or meet another: what they leave, and how the next one goes on."""

import json
import os
import signal
import time

import pytest
from helpers.clusters import MAKE_NODES, ended, killed, wait_for
from helpers.scripts import wait_until

STEPS = ["provider/install", "provider/create", "platform/install", "platform/deploy", "platform/check"]
WAITS = """
    trap 'echo stopped >>"$NOTED"; exit 4' INT
    echo $$ >"$RIGGER_STATE_DIR/pid"
    : >"$RIGGER_STATE_DIR/ready"
    while [ ! -e "$RIGGER_STATE_DIR/go" ]; do sleep 0.05; done
"""


@pytest.fixture
def start(cluster):
    """Start commands that are sure to end with the test, and the scripts that they leave behind too."""
    started = []

    def begin(*arguments, **options):
        started.append(cluster.rigger.start(*arguments, **options))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
    for name in ("soil", "tree"):
        folder = cluster.file("modules", name)
        if os.path.isdir(folder):
            open(os.path.join(folder, "go"), "w").close()


def ready(cluster, module="soil"):
    """Wait until a script of a module has begun to wait."""
    flag = cluster.file("modules", module, "ready")
    wait_for(lambda: os.path.exists(flag))
    os.unlink(flag)


def go(cluster, module="soil"):
    open(cluster.file("modules", module, "go"), "w").close()


def lock_is_free(cluster) -> bool:
    return cluster.rigger("config", "set", "COMMENT=x", code=None).code == 0


def unbroken(cluster) -> bool:
    return "unbroken" in cluster.rigger("audit").out


# Killed


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_inside_a_step_goes_on_with_that_step(cluster, step):
    role, verb = step.split("/")
    cluster.script(role, verb, 'rigger-save-vars GIVEN=before\nkill -9 "$PPID"\n')
    cluster.rigger("provision", code=-9)
    position = STEPS.index(step)
    assert cluster.ran() == STEPS[: position + 1]
    assert "a run did not finish" in cluster.rigger("status").out or verb == "check"
    assert json.loads(cluster.rigger("history", "-o", "json").out)["runs"][-1]["outcome"] == "cut off"

    body = 'echo "given: $GIVEN"\n' + (MAKE_NODES if verb == "create" else "")
    cluster.script(role, verb, body)
    cluster.rigger("provision")
    looked = (
        ["provider/check"]
        if step in ("provider/create", "platform/install", "platform/deploy", "platform/check")
        else []
    )
    again = STEPS[position:] if verb != "check" else ["provider/check", *STEPS[position:]]
    ran = cluster.ran()
    assert [name for name in ran if name not in looked] == [name for name in again if name not in looked]
    assert not set(ran) & set(STEPS[:position])
    numbers = {"provider/install": "01", "provider/create": "02"}
    if step in numbers:
        assert cluster.log(f"{numbers[step]}-{verb}") == "given: before\n"
    assert cluster.rigger("config", "get", "GIVEN").out == "before\n"
    assert unbroken(cluster)


@pytest.mark.slow
def test_a_run_that_is_killed_between_steps_repeats_none(cluster, start):
    """Killed as soon as a step's end is on record, wherever rigger is by then."""
    for step in STEPS[:-1]:
        process = start("provision")
        want = f'"step":"{step.split("/")[1]}"'
        module = {"provider": "provider/soil", "platform": "platform/tree"}[step.split("/")[0]]

        def recorded(want=want, module=module):
            lines = cluster.content("audit.jsonl").splitlines()
            return any('"step-finished"' in line and want in line and module in line for line in lines)

        wait_for(recorded)
        killed(process)
        wait_for(lambda: lock_is_free(cluster))
    cluster.rigger("provision")
    ran = cluster.ran()
    assert ran.count("provider/install") == 1
    assert unbroken(cluster)


@pytest.mark.slow
def test_a_script_that_outlives_a_killed_rigger_holds_the_lock(cluster, start):
    cluster.script("provider", "create", WAITS + "rigger-save-vars LATE=value\n" + MAKE_NODES)
    process = start("provision")
    ready(cluster)
    killed(process)
    pid = cluster.content("modules", "soil", "pid").strip()
    refused = cluster.rigger("provision", code=7, timeout=30)
    assert "rigger provision" in refused.err and "was killed" in refused.err
    assert f"(process {pid})" in refused.err and "create" in refused.err
    assert "was killed" in cluster.rigger("status").out
    for command in (
        ["destroy", "--yes"],
        ["check"],
        ["test", "smoke"],
        ["config", "set", "NODES=3"],
        ["forget", "wood", "--yes"],
    ):
        cluster.rigger(*command, code=7)
    go(cluster)
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"))
    cluster.script("provider", "create", 'echo "LATE is ${LATE-lost}"\n' + MAKE_NODES)
    cluster.rigger("provision")
    assert cluster.log("02-create") == "LATE is value\n"
    assert cluster.nodes() == ["node-1", "node-2"]
    assert [r["event"] for r in cluster.records()].count("step-recovered") == 1
    assert unbroken(cluster)


def test_the_nodes_of_a_killed_create_are_known_to_destroy(cluster):
    cluster.script("provider", "create", MAKE_NODES + 'kill -9 "$PPID"')
    cluster.rigger("provision", code=-9)
    cluster.script("provider", "destroy", "rigger-nodes")
    said = cluster.rigger("destroy", "--yes")
    assert "machine node-2 (10.0.0.2) and all data on it" in said.out
    assert cluster.log("01-destroy") == "node-1\nnode-2\n"
    assert cluster.nodes() == []
    assert unbroken(cluster)


@pytest.mark.slow
def test_scale_is_not_repeated_once_it_let_the_nodes_go(cluster):
    cluster.rigger("provision")
    cluster.rigger("config", "set", "NODES=1")
    cluster.script("provider", "create", 'kill -9 "$PPID"')
    cluster.ran()
    cluster.rigger("provision", "--yes", code=-9)
    assert cluster.ran() == ["platform/scale", "provider/create"]
    cluster.script("provider", "create", MAKE_NODES)
    cluster.rigger("provision", "--yes")
    assert "platform/scale" not in cluster.ran()


# Stopped


@pytest.mark.slow
def test_ctrl_c_lets_the_script_stop_by_itself(cluster, start):
    cluster.script(
        "provider",
        "create",
        "trap 'rigger-save-vars SAVED=yes; echo tidy; exit 4' INT\n: >\"$RIGGER_STATE_DIR/ready\"\nwhile :; do sleep 0.05; done",
    )
    process = start("provision")
    ready(cluster)
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 130
    assert "Asked the script to stop" in said and "tidy" in said
    assert "providers/soil/create was interrupted after" in said
    assert "repeated:\n    rigger provision\n" in said
    assert cluster.rigger("config", "get", "SAVED").out == "yes\n"
    assert cluster.records()[-1]["outcome"] == "interrupted"
    assert cluster.ran() == STEPS[:2]
    cluster.script("provider", "create", MAKE_NODES)
    cluster.rigger("provision")
    assert cluster.ran() == ["provider/check", *STEPS[1:]]
    assert unbroken(cluster)


def test_a_script_that_ends_well_in_spite_of_ctrl_c_is_not_finished(cluster, start):
    cluster.script(
        "provider", "create", 'trap "exit 0" INT\n: >"$RIGGER_STATE_DIR/ready"\nwhile :; do sleep 0.05; done'
    )
    process = start("provision")
    ready(cluster)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130
    assert "create" in [row["step"] for row in cluster.plan()["steps"]]
    assert unbroken(cluster)


def test_a_second_ctrl_c_ends_a_script_that_does_not_listen(cluster, start):
    cluster.script(
        "provider", "create", "trap '' INT\n(trap '' INT; sleep 300) &\n" + WAITS.split("\n", 2)[2]
    )
    process = start("provision")
    ready(cluster)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 130 and "Stopping all that the script started" in said
    pid = cluster.content("modules", "soil", "pid").strip()
    assert not os.path.exists(f"/proc/{pid}")
    assert lock_is_free(cluster)
    assert unbroken(cluster)


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_term_hangup_and_quit_stop_a_run_like_ctrl_c(cluster, start, signum):
    cluster.script("provider", "create", WAITS)
    process = start("provision")
    ready(cluster)
    process.send_signal(signum)
    code, said = ended(process)
    assert code == 130 and "was interrupted" in said
    assert cluster.ran() == [*STEPS[:2], "stopped"]
    assert unbroken(cluster)


# Two at once


@pytest.mark.slow
def test_two_commands_at_once(cluster, start):
    cluster.script("provider", "create", WAITS + MAKE_NODES)
    process = start("provision")
    ready(cluster)
    refused = cluster.rigger("destroy", "--yes", code=7)
    assert (
        f"process {process.pid}" in refused.err
        and '"rigger provision"' in refused.err
        and "since 20" in refused.err
    )
    assert "Traceback" not in refused.err
    assert '"rigger provision"' in json.loads(cluster.rigger("status", "-o", "json").out)["running"]
    cluster.rigger("provision", "--plan")
    cluster.rigger("config", "get", "NODES")
    go(cluster)
    assert ended(process)[0] == 0
    assert json.loads(cluster.rigger("status", "-o", "json").out)["running"] == ""
    assert unbroken(cluster)


def test_many_commands_at_once_leave_the_files_whole(cluster, start):
    processes = [start("config", "set", f"NODES={number}") for number in range(1, 7)]
    codes = [ended(process)[0] for process in processes]
    assert set(codes) <= {0, 7} and 0 in codes
    assert cluster.rigger("config", "get", "NODES").out.strip() in "123456"
    assert unbroken(cluster)


# A script that outlives rigger


@pytest.mark.slow
def test_what_a_script_makes_after_rigger_was_killed_is_recorded(cluster, start):
    cluster.script(
        "provider",
        "create",
        WAITS
        + """
        for n in $(seq 1 3000); do echo "making a machine, line $n"; done
        rigger-save-secrets MADE_KEY=a-made-secret
        echo "its key is a-made-secret"
        """
        + MAKE_NODES
        + "echo made",
    )
    process = start("provision")
    ready(cluster)
    process.kill()
    process.wait()
    go(cluster)
    cluster.script("provider", "create", "true")
    assert wait_until(lambda: lock_is_free(cluster))
    cluster.rigger("provision")
    assert [node["name"] for node in json.loads(cluster.rigger("status", "-o", "json").out)["nodes"]]
    first = min(os.listdir(cluster.file("runs")))
    printed = cluster.content("runs", first, "02-create.log")
    assert "line 3000\nits key is ***\n" in printed and printed.endswith("made\n")
    assert unbroken(cluster)
