"""One connection a node and run: shared, verified, ended."""

import os
import re
import signal
import stat
import subprocess

import pytest
from helpers.clusters import wait_for
from helpers.nodes import processes

from rigger.environments import inventory
from rigger.ssh import connections as ssh_connections

# One connection


@pytest.mark.slow
def test_a_run_has_one_connection_per_node(nodes, machines):
    before = [machines.logins(number) for number in (1, 2)]
    with nodes.run() as connections:
        started = [
            nodes.start(f"node-{n}", "sh", "-c", "sleep 0.3; echo $0", i) for n in (1, 2) for i in range(7)
        ]
        for process in started:
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
        nodes("node-1", "true")
        assert [machines.logins(number) - count for number, count in zip((1, 2), before, strict=True)] == [
            1,
            1,
        ]
        assert stat.S_IMODE(os.stat(connections.path).st_mode) == 0o700
        assert len(processes()) >= 2
        path = connections.path
    assert not os.path.exists(path) and not os.path.lexists(os.path.join(nodes.folder, ssh_connections.LINK))


def test_without_a_run_nothing_is_left(nodes, machines):
    before = machines.logins(1)
    nodes("node-1", "true")
    nodes("node-1", "true")
    assert machines.logins(1) - before == 2


def test_a_connection_holds_nothing_of_the_step(nodes):
    with nodes.run(), open(os.path.join(nodes.folder, "lock"), "w") as lock:
        said = nodes(
            "node-1", "true", pass_fds=[lock.fileno()]
        )  # communicate() waits for the end of both pipes
        assert said.returncode == 0
        pid = next(iter(processes()))
        held = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        assert lock.name not in held and not [name for name in held if name.startswith("pipe:")]
        assert os.getsid(int(pid)) == int(pid)


@pytest.mark.slow
def test_more_sessions_than_a_node_allows(nodes, machines):
    machines.stop_sshd(3)
    machines.start_sshd(3, MaxSessions=1)
    try:
        with nodes.run():
            started = [nodes.start("node-3", "sh", "-c", "sleep 0.5; exit $0", str(10 + i)) for i in range(4)]
            assert [process.communicate(timeout=60) and process.returncode for process in started] == [
                10,
                11,
                12,
                13,
            ]
    finally:
        machines.stop_sshd(3)
        machines.start_sshd(3)


@pytest.mark.slow
def test_a_connection_that_broke_between_two_commands_is_opened_again(nodes, machines):
    with nodes.run():
        nodes("node-1", "true")
        machines.drop(1)
        wait_for(lambda: not processes())
        assert nodes("node-1", "echo", "here").stdout == b"here\n"
        for pid in processes():
            os.kill(int(pid), signal.SIGKILL)  # leaves its socket behind
        assert nodes("node-1", "echo", "again").stdout == b"again\n"


def test_who_was_killed_while_opening_stops_nobody(nodes):
    with nodes.run() as connections:
        gone = subprocess.Popen(["true"])
        gone.wait()
        os.makedirs(os.path.join(connections.path, "n-node-1"))
        os.symlink(str(gone.pid), os.path.join(connections.path, "n-node-1", "opening"))
        started = [nodes.start("node-1", "true") for _ in range(4)]
        assert [process.communicate(timeout=30) and process.returncode for process in started] == [0] * 4


def test_a_connection_that_does_not_listen_is_ended(nodes, monkeypatch):
    monkeypatch.setattr(ssh_connections, "PATIENCE", 0.5)
    with nodes.run():
        nodes("node-1", "true")
        for pid in processes():
            os.kill(int(pid), signal.SIGSTOP)


def test_what_a_killed_run_left_goes_with_the_next(nodes):
    with nodes.run() as first:
        nodes("node-1", "true")
        with nodes.run() as second:
            assert not os.path.exists(first.path) and os.path.isdir(second.path)
            assert not processes()


# Host keys


@pytest.mark.slow
def test_host_keys_are_learned_then_verified(nodes, machines):
    nodes("node-2", "true")
    with open(nodes.known_hosts) as file:
        learned = file.read()
    assert re.fullmatch(r"node-2 ssh-ed25519 \S+\n", learned)
    machines.new_host_key(2)
    said = nodes("--retry", "3", "node-2", "echo", "secret", code=255)
    assert said.stdout == b""
    assert f"the host key of node-2 changed: it is not the one in {nodes.known_hosts}, line 1" in said.stderr
    assert 'type "rigger ssh --forget node-2"' in said.stderr and "@@@" not in said.stderr
    nodes("--forget", "node-2")
    assert nodes("node-2", "echo", "in").stdout == b"in\n"
    with open(nodes.known_hosts) as file:
        assert file.read() != learned


def test_host_keys_of_nodes_that_moved_are_forgotten(tmp_path):
    old = [inventory.Node("a", "10.0.0.1"), inventory.Node("b", "10.0.0.2"), inventory.Node("c", "10.0.0.3")]
    new = [old[0], inventory.Node("b", "10.0.0.9")]
    assert inventory.moved(old, new) == ["b", "c"] and inventory.moved(old, old) == []
    (tmp_path / "known_hosts").write_text("a k 1\nb k 2\n[a]:22 k 3\nc k 4\n")
    assert ssh_connections.forget_host_keys(str(tmp_path), ["b", "c"])
    assert (tmp_path / "known_hosts").read_text() == "a k 1\n[a]:22 k 3\n"
    assert not ssh_connections.forget_host_keys(str(tmp_path), ["b"])
