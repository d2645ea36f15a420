"""rigger ssh, to real sshd servers and by a provider's exec."""

import os
import sys

import pexpect
import pytest
from helpers.machines import LOST_AFTER, Machines

PROVIDER = """
questions:
  - {name: COLOUR, default: green}
"""


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    with Machines(tmp_path_factory.mktemp("machines"), 2) as machines:
        yield machines


@pytest.fixture
def iron(rigger, modules, machines, tmp_path):
    inventory = tmp_path / "inventory"
    inventory.write_text(machines.inventory())
    rigger.env["RIGGER_SSH_TIMEOUT"] = LOST_AFTER
    modules.write("provider", "iron", PROVIDER, create=f'cat {inventory} >>"$RIGGER_INVENTORY_OUTPUT"')
    modules.write("platform", "air", 'versions: ["1"]\n')
    rigger("configure", "--defaults", "--name", "iron", "--provider", "iron", "--platform", "air")
    rigger("provision")
    return rigger


def talk(rigger, *arguments):
    return pexpect.spawn(
        sys.executable,
        ["-m", "rigger", *arguments],
        env=rigger.env,
        cwd=rigger.folder,
        encoding="utf-8",
        timeout=20,
    )


@pytest.mark.slow
def test_a_command_runs_on_the_node(iron, machines):
    said = iron("ssh", "node-2", "--", "printf", "<%s>", "a b", "$HOME", "*")
    assert said.out == "<a b><$HOME><*>"
    assert iron("ssh", "node-2", "sh", "-c", "cat; exit 7", code=7, input=b"\x00in").out == "\x00in"
    hostname = machines.run(2, "hostname").stdout.decode()
    assert iron("ssh", "node-2", "hostname").out == hostname


@pytest.mark.slow
def test_a_person_gets_a_shell(iron):
    shell = talk(iron, "ssh", "node-1")
    shell.sendline("test -t 0 && echo a-term''inal; exit 3")
    shell.expect("a-terminal")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 3


@pytest.mark.slow
def test_who_names_no_node_is_asked(iron, machines):
    assert "Name one of: node-1, node-2." in iron("ssh", code=2).err
    chosen = talk(iron, "ssh")
    chosen.expect("Which node")
    chosen.expect("node-2")
    chosen.send("\x1b[B\r")
    chosen.expect("#|\\$")
    chosen.sendline("echo $SSH_CONNECTION; exit")
    chosen.expect(f"{machines[2].address} {machines[2].port}")
    chosen.expect(pexpect.EOF)
    chosen.close()


@pytest.mark.slow
def test_a_node_that_cannot_be_reached_is_named(iron, machines):
    machines.cut(1)
    try:
        said = iron("ssh", "node-1", "true", code=254).err
    finally:
        machines.restore(1)
    assert said.startswith(f"error: rigger-node: node-1 ({machines[1].address}) cannot be reached: ssh: ")
    assert len(said.splitlines()) == 1


@pytest.mark.slow
def test_a_wrong_node_is_corrected(iron):
    said = iron("ssh", "nod-1", code=2)
    assert "has no node 'nod-1' (did you mean node-1?)" in said.err
    assert "node-1, node-2" in said.err


def test_no_nodes(rigger):
    rigger("configure", "--defaults", "--name", "x", "--platform", "noop", "--provider", "noop")
    assert 'Type "rigger provision"' in rigger("ssh", code=3).err


@pytest.mark.slow
def test_a_node_that_was_made_anew(iron, machines):
    iron("ssh", "node-2", "true")
    machines.new_host_key(2)
    said = iron("ssh", "node-2", "true", code=255).err
    assert "the host key of node-2 changed" in said and 'type "rigger ssh --forget node-2"' in said
    assert len(said.splitlines()) == 2
    assert "The host key of node-2 is forgotten" in iron("ssh", "--forget", "node-2").out
    iron("ssh", "node-2", "true")
    iron("ssh", "--forget", "node-2")
    assert "No host key of node-2 is in" in iron("ssh", "--forget", "node-2").out


@pytest.mark.slow
def test_a_run_does_not_lock_people_out(iron, modules):
    modules.script(os.path.join(modules.folder, "platforms", "air"), "check", "sleep 20")
    running = iron.start("check")
    try:
        assert iron("ssh", "node-1", "echo", "in").out == "in\n"
        assert running.poll() is None
    finally:
        running.terminate()
        running.communicate()


def test_the_providers_own_way_is_taken(rigger, modules):
    modules.write(
        "provider",
        "boxes",
        create='echo \'{"name": "box", "address": "127.0.0.1"}\' >>"$RIGGER_INVENTORY_OUTPUT"',
        exec='echo "in $1"; shift; exec "$@"',
    )
    modules.write("platform", "air", 'versions: ["1"]\n')
    rigger("configure", "--defaults", "--name", "boxes", "--provider", "boxes", "--platform", "air")
    rigger("provision")
    assert rigger("ssh", "box", "sh", "-c", "echo hello; exit 4", code=4).out == "in box\nhello\n"
    shell = talk(rigger, "ssh")  # the only one
    shell.expect("in box")
    shell.sendline("exit 5")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 5
