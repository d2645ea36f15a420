"""Which node is meant, and the shell there; real sshd servers are in tests/commands/test_ssh.py."""

import os
import subprocess

import pytest
from helpers.without_terminal import Person, configured

from rigger.errors import BadUsage, InvalidConfig
from rigger.operations.consent import Consent
from rigger.operations.provision import provision
from rigger.operations.ssh import forget_host_key, ssh
from rigger.operations.values import set_values
from rigger.ssh.connections import KNOWN_HOSTS


@pytest.fixture
def wood(wood, cluster):
    """A cluster whose provider has a way of its own into its two nodes."""
    cluster.modules.script(cluster.folders["provider"], "exec", 'node=$1; shift; IN="$node" exec "$@"')
    provision(wood)
    return wood


def test_words_run_on_the_node_and_their_exit_code_is_returned(wood, tmp_path):
    path = str(tmp_path / "said")
    words = ["sh", "-c", 'printf "%s:" "$IN" "$COLOUR" "$@" >"$0"; exit 7', path, "a b", "*"]
    assert ssh(wood, "node-2", words) == 7
    with open(path) as file:
        assert file.read() == "node-2:green:a b:*:"


def test_a_shell_outlives_no_connection_of_a_run(wood, tmp_path, monkeypatch):
    monkeypatch.setenv("RIGGER_CONNECTIONS", "/of/a/run")
    path = str(tmp_path / "said")
    ssh(wood, "node-1", ["sh", "-c", 'echo "${RIGGER_CONNECTIONS-none}" >"$0"', path])
    with open(path) as file:
        assert file.read() == "none\n"


def test_who_names_no_node_is_asked_where_there_are_several(wood):
    person = Person("node-2")
    assert forget_host_key(wood, consent=person.consent()).node == "node-2"
    assert person.asked == ["Which node?"]
    for do in (ssh, forget_host_key):
        with pytest.raises(BadUsage, match=r"^Which node\?$") as caught:
            do(wood)
        assert caught.value.next_step == "Name one of: node-1, node-2."


def test_the_only_node_needs_no_name(wood):
    set_values(wood, {"NODES": "1"})
    provision(wood, consent=Consent(yes=True))
    assert [node.name for node in wood.nodes()] == ["node-1"]
    assert forget_host_key(wood, consent=Person().consent()).node == "node-1"


def test_a_node_that_is_none_is_named_with_those_there_are(wood):
    for do in (ssh, forget_host_key):
        with pytest.raises(BadUsage, match="wood has no node 'nodo-1'.*node-1") as caught:
            do(wood, "nodo-1")
        assert caught.value.next_step == "Its nodes: node-1, node-2."


def test_without_nodes_there_is_no_shell(cluster):
    wood = configured(cluster)
    with pytest.raises(InvalidConfig, match="wood has no nodes") as caught:
        ssh(wood)
    assert caught.value.next_step == 'Type "rigger provision".'


def test_vars_of_another_cluster_open_no_shell(wood):
    wood.save_values({**wood.values(), "TREE_ID": "0123456789"})
    with pytest.raises(InvalidConfig, match='says TREE_ID="0123456789"'):
        ssh(wood, "node-1", ["true"])


def test_a_host_key_is_forgotten_once_and_the_others_stay(wood, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    key = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    path = wood.file(KNOWN_HOSTS)
    with open(path, "w") as file:
        file.write(f"node-1 {key}\nnode-2 {key}\n")
    forgotten = forget_host_key(wood, "node-1")
    assert forgotten.as_dict() == {"node": "node-1", "forgotten": True, "file": path}
    with open(path) as file:
        assert file.read().split()[::3] == ["node-2"]
    assert not forget_host_key(wood, "node-1").known
    os.unlink(path)
    assert not forget_host_key(wood, "node-1").known
