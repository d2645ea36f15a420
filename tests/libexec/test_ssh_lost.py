"""Nodes that are cut off, silent or slow, and what is tried again."""

import os
import socket
import subprocess
import threading

import pytest
from helpers.clusters import wait_for

from rigger.ssh import connections as ssh_connections


@pytest.mark.slow
def test_a_node_that_is_cut_off_is_named(nodes, machines):
    machines.cut(2)
    with nodes.run() as connections:
        said = nodes("node-2", "true", code=254)
        assert f"node-2 ({machines[2].address}) cannot be reached: " in said.stderr
        assert "timed out" in said.stderr
        assert connections.lost() == ("node-2",)
        connections.begin_step()
        assert connections.lost() == ()


@pytest.mark.slow
def test_a_node_that_falls_silent_after_its_greeting_is_given_up(nodes):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nodes.describe(node_1={"address": "127.0.0.1", "port": silent.getsockname()[1]})
        nodes.env["RIGGER_SSH_TIMEOUT"] = "1"
        with nodes.run():
            running = nodes.start("node-1", "true")
            peer, _ = silent.accept()
            with peer:
                peer.sendall(b"SSH-2.0-silent\r\n")
                _, err = running.communicate(timeout=60)
    assert running.returncode == 254
    assert "node-1 (127.0.0.1) cannot be reached: " in err.decode() and "timed out" in err.decode()


@pytest.mark.slow
def test_what_keeps_ssh_waiting_for_ever_is_given_up(nodes):
    agent = os.path.join(os.environ["XDG_RUNTIME_DIR"], "agent")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(agent)
        silent.listen()
        nodes.env.update(RIGGER_SSH_TIMEOUT="1", SSH_AUTH_SOCK=agent)
        with nodes.run():
            assert "cannot be reached: no answer within 3 s" in nodes("node-1", "true", code=254).stderr
    os.unlink(agent)


@pytest.mark.slow
def test_a_lost_connection_is_no_failed_command(nodes, machines):
    with nodes.run() as connections:
        running = nodes.start("node-2", "sh", "-c", "echo x >>ran; sleep 30")
        wait_for(lambda: machines.run(2, "sh", "-c", "cat ran", code=None).stdout == b"x\n")
        machines.cut(2)
        _, err = running.communicate(timeout=30)
        assert running.returncode == 254
        assert (
            f"the connection to node-2 ({machines[2].address}) was lost while a command ran there"
            in err.decode()
        )
        assert connections.lost() == ("node-2",)
        assert ssh_connections.Connections(nodes.folder).lost() == ()
    machines.run(2, "rm", "ran")


def lose(nodes, machines, *options):
    """Break the connection while a command runs for the first time; return how it ended, and how often it ran."""
    script = 'echo x >>ran; [ "$(wc -l <ran)" -gt 1 ] && exit 0; sleep 30'
    running = nodes.start(*options, "node-1", "sh", "-c", script)
    wait_for(lambda: machines.run(1, "sh", "-c", "cat ran", code=None).stdout == b"x\n")
    machines.drop(1)
    _, err = running.communicate(timeout=30)
    ran = machines.run(1, "sh", "-c", "wc -l <ran; rm ran").stdout
    return running.returncode, int(ran), err.decode()


@pytest.mark.slow
def test_only_what_is_idempotent_runs_again(nodes, machines):
    with nodes.run() as connections:
        code, ran, said = lose(nodes, machines, "--idempotent")
        assert (code, ran) == (0, 2) and "trying node-1 again in 1 s" in said
        assert connections.lost() == ()
        code, ran, said = lose(nodes, machines, "--retry", "3")
        assert (code, ran) == (254, 1) and "again" not in said


@pytest.mark.slow
def test_a_connection_that_cannot_be_made_is_tried_again(nodes, machines):
    machines.cut(1)
    threading.Timer(3, machines.restore, [1]).start()
    said = nodes("--retry", "4", "node-1", "echo", "back")
    assert said.stdout == b"back\n" and "trying node-1 again in 1 s" in said.stderr


def test_what_the_command_says_is_never_tried_again(nodes, machines):
    nodes("--idempotent", "node-1", "sh", "-c", "echo x >>ran; exit 255", code=255)
    assert machines.run(1, "sh", "-c", "wc -l <ran; rm ran").stdout.strip() == b"1"


@pytest.mark.slow
def test_who_is_not_let_in_is_told_so(nodes, machines, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    nodes.describe(
        node_1={"key": str(tmp_path / "other")},
        node_2={"key": str(tmp_path / "no such key")},
        node_3={"port": 9},
    )
    said = nodes("--retry", "3", "node-1", "true", code=255)
    assert (
        f"node-1 ({machines[1].address}) does not let us in" in said.stderr
        and "Permission denied" in said.stderr
    )
    assert "Look at the user and the key" in said.stderr and "again" not in said.stderr
    assert (
        f"the key {tmp_path}/no such key of node-2 cannot be read" in nodes("node-2", "true", code=255).stderr
    )
    assert "refused" in nodes("node-3", "true", code=254).stderr
