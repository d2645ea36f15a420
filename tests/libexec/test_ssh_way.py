"""The way to a node: as a person's own settings have it, and to that what the inventory adds; and why one is closed."""

import contextlib
import os
import shutil
import subprocess

import pytest
from helpers.machines import only_with_namespaces


def write_config(home, text):
    (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    (home / ".ssh" / "config").write_text(text)


def new_key(folder, name, passphrase=""):
    path = os.path.join(str(folder), name)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", path], check=True)
    return path


@contextlib.contextmanager
def sshd(machines, number, **settings):
    machines.stop_sshd(number)
    machines.start_sshd(number, **settings)
    try:
        yield
    finally:
        machines.stop_sshd(number)
        machines.start_sshd(number)


@pytest.fixture
def agent(nodes, tmp_path):
    """An agent with more keys than an sshd lets be tried (MaxAuthTries), none of which opens anything."""
    socket = str(tmp_path / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    nodes.env["SSH_AUTH_SOCK"] = socket
    for number in range(8):
        add(nodes, new_key(tmp_path, f"many-{number}"))
    yield nodes
    process.kill()
    process.wait()


def add(nodes, key, **options):
    for _ in range(50):
        done = subprocess.run(["ssh-add", "-q", key], env=nodes.env, capture_output=True, **options)
        if done.returncode == 0:
            return
    raise AssertionError(done.stderr)


# A person's own settings


@pytest.mark.slow
def test_a_name_is_reached_as_ssh_reaches_it(nodes, machines, private_home):
    machine = machines[2]
    own = new_key(private_home, "own")
    with open(f"{own}.pub") as file:
        machines.admit(2, file.read())
    write_config(
        private_home,
        f"Host old-*\n  HostName {machine.address}\n  IdentityFile {own}\nMatch originalhost old-1\n  Port {machine.port}\n"
        f"  KexAlgorithms +diffie-hellman-group14-sha1\nHost *\n  User {machines.user}\n",
    )
    said = {"host": "old-1", "user": None, "port": None}
    with sshd(machines, 2, KexAlgorithms="diffie-hellman-group14-sha1"):
        machines.admit(2, open(f"{own}.pub").read())
        for key in (None, machines.key, new_key(private_home, "general")):  # none, the right one, another one
            nodes.describe(node_2={**said, "key": key})
            assert nodes("node-2", "hostname").stdout == machines.run(2, "hostname").stdout
        assert nodes("--shell", "node-2", "echo", "in").stdout == b"in\n"
    with open(nodes.known_hosts) as file:
        assert file.read().split()[0] == "node-2"


@pytest.mark.slow
@only_with_namespaces
def test_jump_hosts_of_the_settings_are_all_gone_through(nodes, machines, private_home):
    write_config(
        private_home,
        f"Host a\n  HostName {machines[1].address}\nHost b\n  HostName {machines[2].address}\nHost inner\n"
        f"  HostName {machines[3].address}\n  ProxyJump a,b\nHost *\n  User root\n  IdentityFile {machines.key}\n",
    )
    nodes.describe(node_3={"host": "inner", "user": None, "port": None, "key": None})
    before = [machines.logins(number) for number in (1, 2, 3)]
    came = nodes("node-3", "sh", "-c", "echo $SSH_CONNECTION").stdout.split()[0].decode()
    assert came == machines[2].address
    assert [machines.logins(n) - count for n, count in zip((1, 2, 3), before, strict=True)] == [1, 1, 1]


@pytest.mark.slow
@only_with_namespaces
def test_jump_hosts_of_the_inventory_may_be_several_nodes_and_hosts(nodes, machines):
    nodes.describe(node_3={"jump": f"node-1,root@{machines[2].address}:{machines[2].port}"})
    came = nodes("node-3", "sh", "-c", "echo $SSH_CONNECTION").stdout.split()[0].decode()
    assert came == machines[2].address
    machines.new_host_key(1)
    said = nodes("node-3", "true", code=255).stderr
    assert "the host key of node-1 changed" in said and 'type "rigger ssh --forget node-1"' in said


@only_with_namespaces
def test_a_proxy_command_of_the_settings_is_the_way(nodes, machines, private_home):
    machine = machines[1]
    tool = f"bash -c 'exec 3<>/dev/tcp/{machine.address}/%p; cat <&3 & cat >&3'"
    write_config(private_home, f"Host far\n  HostName 192.0.2.9\n  ProxyCommand {tool}\n")
    nodes.describe(node_1={"host": "far", "address": "192.0.2.9", "port": None})
    assert nodes("node-1", "echo", "in").stdout == b"in\n"
    write_config(private_home, "Host far\n  ProxyCommand sh -c 'echo the tunnel is down >&2; exit 1'\n")
    assert "cannot be reached: the tunnel is down" in nodes("node-1", "true", code=254).stderr


# Keys, and agents with many


@pytest.mark.slow
@only_with_namespaces
def test_the_chosen_key_comes_first_on_jump_hosts_too(agent, machines):
    nodes = agent
    with sshd(machines, 1, MaxAuthTries="6"):
        for jump in ("node-1", f"root@{machines[1].address}"):
            nodes.describe(node_3={"jump": jump})
            assert nodes("node-3", "echo", "in").stdout == b"in\n"
    nodes("--shell", "node-3", "true")


@pytest.mark.slow
@only_with_namespaces
@pytest.mark.parametrize("where", ["agent", "usual key"])
def test_a_jump_host_that_wants_another_key_gets_it(nodes, machines, private_home, tmp_path, where):
    (private_home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    own = new_key(private_home / ".ssh", "id_ed25519")
    machines.write(1, "/root/.ssh/authorized_keys", open(f"{own}.pub").read())
    socket = str(tmp_path / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        if where == "agent":
            nodes.env["SSH_AUTH_SOCK"] = socket
            add(nodes, own)
            os.unlink(own)
        nodes.describe(node_3={"jump": f"root@{machines[1].address}"})
        assert nodes("node-3", "echo", "in").stdout == b"in\n"
    finally:
        process.kill()
        process.wait()
        machines.admit(1, "")


# Why there is no way


@pytest.mark.slow
def test_a_key_with_a_passphrase_is_the_reason(agent, machines, tmp_path):
    nodes, locked = agent, new_key(tmp_path, "locked", "secret words")
    with open(f"{locked}.pub") as file:
        machines.admit(1, file.read())
    nodes.describe(node_1={"key": locked})
    for said in (nodes("node-1", "true", code=255), nodes("--shell", "node-1", "true", code=255)):
        assert f"the key {locked} for node-1" in said.stderr and "has a passphrase" in said.stderr
        assert f'Type "ssh-add {locked}"' in said.stderr
    ask = tmp_path / "ask"
    ask.write_text("#!/bin/sh\necho secret words\n")
    ask.chmod(0o755)
    subprocess.run(["ssh-add", "-q", "-D"], env=nodes.env, check=True, capture_output=True)
    nodes.env |= {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
    add(nodes, locked)
    nodes("node-1", "true")
    # It was tried, and is not the reason any more.
    machines.admit(1, "")
    said = nodes("node-1", "true", code=255).stderr
    assert "passphrase" not in said and "does not let us in" in said


def test_a_key_that_ssh_does_not_take_is_named_with_ssh_s_words_and_what_helps(nodes, machines, tmp_path):
    bare = str(tmp_path / "bare")
    shutil.copy(machines.key, bare)
    os.chmod(bare, 0o644)
    nodes.describe(node_1={"key": bare})
    said = nodes("node-1", "true", code=255).stderr
    assert f'cannot be used: Load key "{bare}": bad permissions.' in said and f"chmod 600 {bare}" in said
    (tmp_path / "bare").write_text("no key at all\n")
    os.chmod(bare, 0o600)
    said = nodes("node-1", "true", code=255).stderr
    assert f'cannot be used: Load key "{bare}": ' in said and "That is no private key" in said


@pytest.mark.slow
@only_with_namespaces
def test_a_jump_host_is_named_where_it_is_the_reason(nodes, machines, private_home):
    jump = machines[1].address
    nodes.describe(node_3={"jump": f"nobody@{jump}"})
    said = nodes("node-3", "true", code=255).stderr
    assert f"is not reached: the jump host (nobody@{jump}): nobody@{jump}: Permission denied" in said
    nodes.describe(node_3={"jump": f"{jump}:7"})
    said = nodes("node-3", "true", code=254).stderr
    assert f"cannot be reached: the jump host ({jump}:7): ssh: connect to host {jump} port 7" in said
    nodes.describe(node_3={"jump": "node-1", "port": 7})
    said = nodes("node-3", "true", code=254).stderr
    assert "cannot be reached: the jump host (" in said and "says: connect failed: Connection refused" in said
    locked = new_key(private_home, "locked", "secret words")
    write_config(private_home, f"Host {jump}\n  IdentityFile {locked}\n")
    nodes.describe(node_3={"jump": f"nobody@{jump}", "key": None})
    assert f"the key {locked} for node-3" in nodes("node-3", "true", code=255).stderr
