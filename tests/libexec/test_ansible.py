"""The inventory for Ansible: a real ansible-playbook on machines with sshd, and on nodes with a way of their own."""

import json
import os
import subprocess
import sys

import pytest
from helpers.folder_nodes import Folders
from helpers.nodes import Nodes
from helpers.steps import LIBEXEC

SITE = """
- hosts: all
  gather_facts: false
  tasks:
    - copy: {content: "{{ inventory_hostname }} at {{ place | default('-') }}\\n", dest: ~/greeting}
    - command: cat greeting
      args: {chdir: "~"}
      register: said
    - debug: {var: said.stdout}
"""
HOW = {"file": "<(rigger-nodes ansible)", "program": '"$(command -v rigger-nodes)"'}


def play(env, folder, how="file", code=0):
    """Run a playbook as a person would type it, with Ansible's own files in a folder of the test's."""
    (folder / "site.yml").write_text(SITE)
    (folder / "ansible").mkdir(exist_ok=True)
    done = subprocess.run(
        ["bash", "-c", f"ansible-playbook -i {HOW[how]} site.yml"],
        cwd=folder,
        env={
            **env,
            "PATH": os.pathsep.join([LIBEXEC, os.path.dirname(sys.executable), os.environ["PATH"]]),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "LC_ALL": "C.UTF-8",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=200,
    )
    said = done.stdout.decode(errors="replace")
    assert done.returncode == code, said
    return said


def printed(env, *words):
    argv = [os.path.join(LIBEXEC, "rigger-nodes"), *words]
    return subprocess.run(argv, env=env, capture_output=True, check=True).stdout.decode()


@pytest.fixture
def nodes(machines, tmp_path, runtime):
    """A folder with what ssh would take for a token; names with `$` it cannot be given."""
    return Nodes(machines, tmp_path / "a folder's 100% own")


@pytest.fixture
def env(nodes):
    nodes.env["RIGGER_INVENTORY"] = os.path.join(nodes.folder, "inventory.json")
    nodes.env["RIGGER_PYTHON"] = sys.executable
    return nodes.env


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_a_playbook_on_machines_of_which_one_is_behind_two_others(nodes, env, machines, tmp_path, how):
    key = os.path.join(nodes.folder, "modules", "my 100% key")
    os.makedirs(os.path.dirname(key))
    os.symlink(machines.key, key)
    nodes.describe(
        node_1={"key": "modules/my 100% key"},
        node_2={"jump": "node-1"},
        node_3={"jump": f"{machines.user}@{machines[1].address}:{machines[1].port},node-2"},
    )
    before = [machines.logins(number) for number in (1, 2, 3)]
    assert "unreachable=0" in play(env, tmp_path, how)
    assert all(now > then for now, then in zip([machines.logins(n) for n in (1, 2, 3)], before, strict=True))
    for number in (1, 2, 3):
        said = machines.run(number, "sh", "-c", "cat ~/greeting; rm ~/greeting").stdout.decode()
        assert said == f"node-{number} at -\n"
    with open(nodes.known_hosts) as file:
        assert {line.split()[0] for line in file} >= {"node-1", "node-2", "node-3"}


@pytest.mark.slow
def test_a_machine_that_does_not_answer_is_unreachable(nodes, env, machines, tmp_path):
    nodes.describe(node_2={"port": 1})
    assert "node-2                     : ok=0    changed=0    unreachable=1" in play(env, tmp_path, code=4)


@pytest.mark.slow
@pytest.mark.parametrize("how", [pytest.param("file", marks=pytest.mark.slow), "program"])
def test_a_playbook_where_the_provider_has_a_way_of_its_own(tmp_path, how):
    folders = Folders(tmp_path, "dash")
    env = {
        **folders.env,
        "RIGGER_INVENTORY": str(tmp_path / "inventory.json"),
        "RIGGER_PYTHON": sys.executable,
    }
    play(env, tmp_path, how)
    for node in ("node-1", "node-2"):
        assert (folders.home(node) / "greeting").read_text() == f"{node} at -\n"
    assert not os.path.exists(os.path.expanduser("~/greeting"))


def test_json_is_the_inventory_as_it_is(tmp_path):
    env = {**Folders(tmp_path, "dash").env, "RIGGER_INVENTORY": str(tmp_path / "inventory.json")}
    assert [node["name"] for node in json.loads(printed(env, "json"))] == ["node-1", "node-2"]
    assert printed({**env, "RIGGER_INVENTORY": "/nowhere"}, "json") == "[]\n"


def test_an_address_of_six_and_what_the_inventory_leaves_open(nodes, env):
    nodes.describe(
        node_1={"address": "[2001:db8::1]", "user": None, "port": None, "key": None},
        node_2={"jump": "ada@[2001:db8::2]:2222,gate:22,2001:db8::3"},
    )
    hosts = json.loads(printed(env, "ansible"))["all"]["hosts"]
    assert hosts["node-1"]["ansible_host"] == "2001:db8::1"
    assert not {"ansible_user", "ansible_port", "ansible_ssh_private_key_file"} & set(hosts["node-1"])
    way = hosts["node-2"]["ansible_ssh_common_args"]
    for words in ("-l ada -p 2222 -- 2001:db8::2", "-p 22", "-- gate", "-- 2001:db8::3"):
        assert words in way
    assert json.loads(printed(env, "--host", "node-1")) == hosts["node-1"]
    assert json.loads(printed(env, "--list"))["_meta"]["hostvars"] == hosts
