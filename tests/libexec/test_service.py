"""Processes that are kept running on nodes: folders of this machine with several shells, and machines over ssh."""

import contextlib
import os
import re
import shutil
import signal

import pytest
from helpers.clusters import wait_for
from helpers.folder_nodes import Folders
from helpers.machines import only_with_namespaces
from helpers.nodes import Nodes

SHELLS = [
    pytest.param(shell, marks=[pytest.mark.slow] if shell != "dash" else [])
    for shell in ("dash", "bash", "busybox")
    if shutil.which(shell)
]
# A service that says what it got, and leaves a child that ends with nobody.
SERVE = """
echo "began as $(id -un) in $PWD with <$1> <$2>"
echo "colour=<$COLOUR> token=<$TOKEN> leak=<$LEAK>"
(trap '' TERM; while :; do sleep 0.2; done) &
echo $! >child
while :; do sleep 0.1; done
"""


@pytest.fixture(params=SHELLS)
def folders(tmp_path, request):
    made = Folders(tmp_path, request.param)
    yield made
    for pid in made.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_a_life(folders):
    assert "there is none" in folders.service("status", "node-1", "web", code=4)
    folders.service("stop", "node-1", "web")
    folders.service("remove", "node-1", "web")
    (folders.home() / "www").mkdir()
    said = ("--env", "COLOUR=it's $green\n", "--env", "TOKEN", "--folder", "www")
    command = ("--", "sh", "-c", SERVE, "serve", "a b", "$(touch pwned)")
    folders.service("start", "node-1", "web", *said, *command, TOKEN="two\nlines")
    first = folders.pid()
    assert "by a supervisor" in folders.service("status", "node-1", "web")
    logs = folders.service("logs", "node-1", "web")
    assert f"in {folders.home()}/www with <a b> <$(touch pwned)>\n" in logs
    assert "colour=<it's $green\n> token=<two\nlines> leak=<>\n" in logs
    # What runs as it should is left alone, and what is told something else is started anew.
    folders.service("start", "node-1", "web", *said, *command, TOKEN="two\nlines")
    assert folders.pid() == first
    folders.service("start", "node-1", "web")
    assert folders.pid() == first
    folders.service("start", "node-1", "web", *said, *command, TOKEN="another")
    second = folders.pid()
    assert second != first and not runs(first)
    # What is killed comes back, without the children that it left.
    child = int((folders.home() / "www" / "child").read_text())
    os.kill(second, signal.SIGKILL)
    wait_for(lambda: folders.service("status", "node-1", "web", code=None).count("running"))
    assert folders.pid() != second and not runs(child)
    folders.service("restart", "node-1", "web")
    third = folders.pid()
    assert folders.service("logs", "node-1", "web").count("token=<another>") == 3
    folders.service("stop", "node-1", "web")
    assert "stopped" in folders.service("status", "node-1", "web", code=3)
    assert folders.processes() == [] and not runs(third)
    folders.service("start", "node-1", "web")
    assert (
        folders.service("logs", "node-1", "web", "1")
        == "colour=<it's $green\n> token=<another> leak=<>\n"[-26:]
    )
    folders.service("remove", "node-1", "web")
    assert folders.processes() == []
    left = [
        str(path) for path in folders.home().rglob("*") if "rigger" in str(path.relative_to(folders.home()))
    ]
    assert left == [] and not (folders.home() / "pwned").exists()


@pytest.mark.slow
def test_one_that_cannot_run_is_said_to_and_is_not_tried_for_ever(folders):
    said = folders.service("start", "node-1", "web", "--", "no-such-program", code=1)
    assert "web ended as soon as it was started" in said and "not found" in said
    said = folders.service(
        "start", "node-1", "web", "--", "sh", "-c", "echo the port is taken; exit 1", code=1
    )
    assert "the port is taken" in said
    # What an earlier one has said is not its reason.
    said = folders.service("start", "node-1", "web", "--", "sh", "-c", "exit 1", code=1)
    assert "it said nothing" in said
    assert folders.processes() == []
    folders.service("start", "node-1", "web", "--folder", "nowhere", "--", "sleep", "60", code=1)
    assert "there is no service db" in folders.service("restart", "node-1", "db", code=1)
    assert "there is no user nobody-at-all" in folders.service(
        "start", "node-1", "web", "--user", "nobody-at-all", "--", "sleep", "60", code=1
    )


@pytest.mark.slow
def test_when_nobody_starts_it_again(folders):
    once = ("sh", "-c", 'if [ -e done ]; then sleep 60; fi; sleep 1.5; touch done; exit "$1"', "sh")
    folders.service("start", "node-1", "web", "--restart", "no", "--", *once, "0")
    assert "nobody starts it again" in folders.service("status", "node-1", "web")
    wait_for(lambda: "stopped" in folders.service("status", "node-1", "web", code=None))
    (folders.home() / "done").unlink()
    folders.service("start", "node-1", "db", "--give-up-on", "3", "--give-up-on", "4", "--", *once, "4")
    wait_for(lambda: "stopped" in folders.service("status", "node-1", "db", code=None))
    (folders.home() / "done").unlink()
    folders.service("start", "node-1", "db", "--give-up-on", "3", "--", *once, "4")
    first = folders.pid("db")
    wait_for(lambda: not runs(first) and "running" in folders.service("status", "node-1", "db", code=None))
    for name in ("web", "db"):
        folders.service("remove", "node-1", name)


@pytest.mark.slow
def test_a_long_log_is_put_aside_while_it_is_written(folders):
    loud = "while :; do echo 'a line of a log that goes on'; sleep 0.01; done"
    folders.service(
        "start", "node-1", "web", "--log", "web.log", "--log-size", "20000", "--", "sh", "-c", loud
    )
    log = folders.home() / "web.log"
    wait_for(lambda: (folders.home() / "web.log.1").exists(), 40)
    wait_for(lambda: log.stat().st_size < 20000)
    before = log.stat().st_size
    wait_for(lambda: log.stat().st_size > before)
    assert "that goes on" in folders.service("logs", "node-1", "web", "5")
    folders.service("remove", "node-1", "web")
    assert os.listdir(folders.home()) == [".local"] and folders.processes() == []


def test_secrets_are_in_no_words_that_others_can_read(folders):
    folders.service("start", "node-1", "web", "--env", "TOKEN", "--", "sleep", "60", TOKEN="correct horse")
    pid = folders.pid()
    with open(f"/proc/{pid}/environ", "rb") as file:
        assert b"TOKEN=correct horse" in file.read()
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        assert file.read() == b"sleep\x0060\x00"
    run = next(folders.home().rglob("run"))
    assert b"correct horse" in run.read_bytes() and run.stat().st_mode & 0o077 == 0
    assert run.parent.stat().st_mode & 0o077 == 0
    folders.service("remove", "node-1", "web")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("begin", "node-1", "web"), "'begin' is none of start,"),
        (("start", "node-1"), "which node and service"),
        (("start", "node-1", "a/b", "--", "true"), "'a/b' is no name"),
        (("start", "node-1", "web", "--env", "1=2", "--", "true"), "--env needs NAME=VALUE"),
        (
            ("start", "node-1", "web", "--env", "NOT_SET", "--", "true"),
            "--env NOT_SET: there is no such variable",
        ),
        (("start", "node-1", "web", "--user", "a b", "--", "true"), "'a b' is no name of a user"),
        (("start", "node-1", "web", "--restart", "maybe", "--", "true"), "always or no, not 'maybe'"),
        (("start", "node-1", "web", "--log-size", "1M", "--", "true"), "needs a number, not '1M'"),
        (("start", "node-1", "web", "serve"), "the command stands after --"),
        (("start", "node-1", "web", "--env", "A=1"), "which command"),
        (("start", "node-1", "web", "--"), "which command"),
        (("stop", "node-1", "web", "now"), "'now': stop takes a node and a name"),
        (("logs", "node-1", "web", "all"), "needs a number, not 'all'"),
    ],
)
def test_what_is_wrong_with_the_words(tmp_path, argv, said):
    assert said in Folders(tmp_path, "dash").service(*argv, code=2)


def test_a_node_that_there_is_not(tmp_path):
    assert "there is no node 'node-9'" in Folders(tmp_path, "dash").service("stop", "node-9", "web", code=255)


# Over ssh


@pytest.fixture
def far(nodes: Nodes):
    nodes.env["RIGGER_ENVIRONMENT_ID"] = os.urandom(5).hex()

    def service(*argv, **options):
        said = nodes(*argv, program="rigger-service", **options)
        return said.stdout.decode() + said.stderr

    with nodes.run():
        yield service


@pytest.mark.slow
@only_with_namespaces
def test_it_outlives_the_connection_and_is_another_users(far, machines):
    machines.run(1, "mkdir", "-p", "/srv/web")
    far(
        "start",
        "node-1",
        "web",
        "--user",
        "daemon",
        "--folder",
        "/srv/web",
        "--",
        "sh",
        "-c",
        "id -un; sleep 3600",
    )
    said = far("status", "node-1", "web")
    assert "by a supervisor" in said
    pid = re.search(r"process (\d+)", said).group(1)
    machines.drop(1)
    assert machines.run(1, "ps", "-o", "user=", "-p", pid).stdout.split() == [b"daemon"]
    assert far("logs", "node-1", "web") == "daemon\n"
    machines.run(1, "kill", "-9", pid)
    wait_for(lambda: "running" in far("status", "node-1", "web", code=None))
    far("remove", "node-1", "web")
    assert machines.run(1, "pgrep", "-u", "daemon", code=1)
    assert machines.run(1, "find", "/root", "-name", "rigger-services").stdout == b""


# The tests of etcd have a systemctl that starts what a unit says.
SYSTEMCTL = """#!/bin/sh
for word; do :; done
unit=/etc/systemd/system/$word
case $1 in
    enable)
        program=$(sed -n 's/^ExecStart=//p' "$unit")
        setsid sh -c 'echo $$ >/run/unit.pid; while :; do '"$program"'; sleep 1; done' </dev/null >/dev/null 2>&1 &
        ;;
    disable) kill -9 "-$(cat /run/unit.pid)" ;;
    is-enabled) [ -e "$unit" ] ;;
esac
"""


@pytest.mark.slow
@only_with_namespaces
def test_a_unit_where_systemd_runs(far, machines, nodes):
    machines.run(2, "mkdir", "-p", "/run/systemd/system")
    machines.write(2, "/usr/local/bin/systemctl", SYSTEMCTL, 0o755)
    far("start", "node-2", "web", "--", "sleep", "3600")
    unit = f"rigger-{nodes.env['RIGGER_ENVIRONMENT_ID']}-web.service"
    assert f"by systemd ({unit})" in far("status", "node-2", "web")
    text = machines.run(2, "cat", f"/etc/systemd/system/{unit}").stdout.decode()
    assert "User=root\n" in text and "Restart=always\n" in text
    far("start", "node-2", "web", "--", "sleep", "7200")
    far("remove", "node-2", "web")
    assert machines.run(2, "ls", f"/etc/systemd/system/{unit}", code=2)
    assert machines.run(2, "pgrep", "-f", "sleep 7200", code=1)
