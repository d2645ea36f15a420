"""Connections to nodes that steps share, their folder, and which nodes were lost."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading

import pytest

from rigger.errors import BadUsage
from rigger.ssh import connections as ssh_connections
from rigger.ssh.connections import Connections, close, first_pause, forget_host_keys

# MUX_MSG_HELLO of version 4, then MUX_C_TERMINATE as request 0: what `ssh -O exit` sends.
EXIT = bytes.fromhex("00000008 00000001 00000004 00000008 10000005 00000000")
LISTENS = """
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def runtime(monkeypatch):
    """A short folder of this test's own for sockets."""
    with tempfile.TemporaryDirectory(prefix="rt-", dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield folder


@pytest.fixture
def connections(tmp_path, runtime):
    with Connections(str(tmp_path)) as connections:
        yield connections


def node(folder):
    """Return the path of a node's socket, in a folder that exists."""
    os.mkdir(os.path.join(folder, "n-node-1"))
    return os.path.join(folder, "n-node-1", "s")


def link(folder):
    return os.path.join(folder, ssh_connections.LINK)


# The folder


def test_a_run_has_a_private_folder_until_its_end(tmp_path, runtime):
    with Connections(str(tmp_path)) as connections:
        path = connections.path
        assert os.path.dirname(path) == runtime and os.readlink(link(tmp_path)) == path
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
    assert connections.path == "" and not os.path.exists(path) and os.listdir(tmp_path) == []


def test_it_is_gone_after_an_error_too(tmp_path, runtime):
    with pytest.raises(ZeroDivisionError), Connections(str(tmp_path)):
        raise ZeroDivisionError
    assert os.listdir(runtime) == os.listdir(tmp_path) == []


@pytest.mark.parametrize("own", ["a folder ", "$HOME", "long" * 10])
def test_where_the_users_folder_does_not_suit_sockets_everybodys_is_taken(tmp_path, monkeypatch, own):
    with tempfile.TemporaryDirectory(prefix=own, dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        with Connections(str(tmp_path)) as connections:
            assert os.path.dirname(connections.path) == "/tmp"


@pytest.mark.parametrize("own", ["", "/nowhere", "relative"])
def test_where_the_user_has_no_folder_everybodys_is_taken(tmp_path, monkeypatch, own):
    monkeypatch.setenv("XDG_RUNTIME_DIR", own)
    with Connections(str(tmp_path)) as connections:
        assert os.path.dirname(connections.path) == "/tmp"


def test_an_environment_that_cannot_be_written_has_connections_all_the_same(tmp_path, runtime):
    with Connections(str(tmp_path / "none")) as connections:
        assert os.path.isdir(connections.path)


# What a killed run left


def left(folder, name, mode=0o700):
    path = os.path.join(folder, name)
    os.mkdir(path, mode)
    os.chmod(path, mode)
    return path


def test_what_a_killed_run_left_goes_with_the_next(tmp_path, runtime):
    old = left(runtime, "rigger-old")
    os.symlink(old, link(tmp_path))
    with Connections(str(tmp_path)) as connections:
        assert not os.path.exists(old) and os.readlink(link(tmp_path)) == connections.path


@pytest.mark.parametrize(("name", "mode"), [("documents", 0o700), ("rigger-shared", 0o755)])
def test_what_is_not_riggers_own_stays_wherever_the_link_leads(tmp_path, runtime, name, mode):
    other = left(runtime, name, mode)
    os.symlink(other, link(tmp_path))
    with Connections(str(tmp_path)):
        pass
    assert os.path.isdir(other)


def test_a_link_that_leads_through_another_link_is_not_followed(tmp_path, runtime):
    other, through = left(runtime, "documents"), os.path.join(runtime, "rigger-link")
    os.symlink(other, through)
    os.symlink(through, link(tmp_path))
    with Connections(str(tmp_path)):
        pass
    assert os.path.isdir(other) and os.readlink(through) == other


# Lost nodes


def test_nodes_that_were_lost_are_forgotten_when_a_step_begins(connections):
    for name in ("node-2", "node-1"):
        open(os.path.join(connections.path, "lost", name), "w").close()
    assert connections.lost() == ("node-1", "node-2")
    connections.begin_step()
    assert connections.lost() == ()


def test_without_a_run_none_is_lost(tmp_path):
    assert Connections(str(tmp_path)).lost() == ()


# Their end


def test_a_connection_is_asked_to_end_as_ssh_would_ask(connections):
    heard = []

    def serve(server):
        client, _ = server.accept()
        with client:
            while len(b"".join(heard)) < len(EXIT):
                heard.append(client.recv(100))

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(node(connections.path))
        server.listen()
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        close(connections.path)
        thread.join()
    assert b"".join(heard) == EXIT and not os.path.exists(connections.path)


def test_one_that_does_not_listen_is_ended(connections, monkeypatch):
    monkeypatch.setattr(ssh_connections, "PATIENCE", 0.1)
    path = node(connections.path)
    words = [sys.executable, "-c", LISTENS]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with (
        subprocess.Popen([*words, path], **pipes) as deaf,
        subprocess.Popen([*words, path + "x"], **pipes) as spared,
    ):
        deaf.stdout.readline(), spared.stdout.readline()
        close(connections.path)
        assert deaf.wait(10) == -9 and spared.poll() is None
        spared.stdin.close()
        assert spared.wait(10) == 0


def test_a_socket_that_nobody_serves_any_more(connections):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(node(connections.path))
    close(connections.path)
    assert not os.path.exists(connections.path)


def test_a_folder_that_is_gone_already():
    close("/nowhere/rigger-1")


# What programs of a step ask


@pytest.mark.parametrize(("text", "seconds"), [(None, 1), ("", 1), ("0", 0), ("5", 5), ("9999", 9999)])
def test_the_first_pause(monkeypatch, text, seconds):
    if text is not None:
        monkeypatch.setenv("RIGGER_RETRY_PAUSE", text)
    assert first_pause() == seconds


@pytest.mark.parametrize("text", ["soon", "-1", "1.5", "10000", " 1"])
def test_a_pause_that_is_no_number_of_seconds(monkeypatch, text):
    monkeypatch.setenv("RIGGER_RETRY_PAUSE", text)
    with pytest.raises(BadUsage) as refused:
        first_pause()
    assert refused.value.message == f"RIGGER_RETRY_PAUSE={text} is not a number of seconds."
    assert refused.value.next_step == "Correct it, or unset it."


def test_host_keys_of_nodes_that_go_are_forgotten(tmp_path):
    known = tmp_path / "known_hosts"
    lines = [
        b"node-1 ssh-ed25519 AAAA\n",
        b"node-10 ssh-ed25519 BBBB\n",
        b"# \xff\n",
        b"node-1 ssh-rsa CCCC\n",
    ]
    known.write_bytes(b"".join(lines))
    assert forget_host_keys(str(tmp_path), ["node-1", "node-7"])
    assert known.read_bytes() == lines[1] + lines[2]


def test_where_no_key_is_known_nothing_is_written(tmp_path):
    assert not forget_host_keys(str(tmp_path), ["node-1"]) and os.listdir(tmp_path) == []
    known = tmp_path / "known_hosts"
    known.write_text("node-2 ssh-ed25519 AAAA\n")
    before = known.stat().st_ino
    assert not forget_host_keys(str(tmp_path), ["node-1"]) and known.stat().st_ino == before
