"""An add-on that is a playbook: rigger's commands on it, with the real Ansible, on machines that are folders here."""

import os

import pytest
from helpers.addons import Machines

pytest.importorskip("ansible_runner", reason="ansible-runner is not installed")

ENTRYPOINT = """\
- hosts: all
  gather_facts: false
  connection: local
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  roles: [shelf]
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.set_stats: {data: {heights: "{{ groups['all'] | length }}"}}
"""
TASKS = """\
- name: Write how large it is
  ansible.builtin.copy:
    content: "{{ size }} {{ odd }}\\n"
    dest: "{{ rigger_state_dir }}/{{ inventory_hostname }}"
    mode: "0600"
- name: Use the token
  ansible.builtin.command: "echo {{ token }} unseen-{{ size }}"
  changed_when: false
  no_log: true
- name: Say the token
  ansible.builtin.debug: {msg: "token {{ token }}"}
- name: Fail where that is wanted
  ansible.builtin.fail: {msg: "it shall fail"}
  when: size == "13"
"""
DESTROY = """\
- hosts: all
  gather_facts: false
  connection: local
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - ansible.builtin.file: {path: "{{ rigger_state_dir }}/{{ inventory_hostname }}", state: absent}
"""
MANIFEST = """\
labels: {kind: shelf}
provides: [heights]
questions:
  - {name: SIZE, default: "3"}
  - {name: TOKEN, type: secret, default: s3cret-of-shelf}
  - {name: ODD, default: "{% raw %}{{ nothing }}{% endraw %}"}
"""


@pytest.fixture
def machines(rigger, modules):
    machines = Machines(rigger, modules)
    folder = machines.addon("shelf", MANIFEST)
    for verb in ("apply", "destroy"):
        os.unlink(os.path.join(folder, verb))
    for name, content in (
        ("entrypoint.yml", ENTRYPOINT),
        ("destroy.yml", DESTROY),
        ("roles/shelf/tasks/main.yml", TASKS),
    ):
        path = os.path.join(folder, "project", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(content)
    rigger("config", "set", "ADDRESSES=192.0.2.1 192.0.2.2")
    rigger("provision")
    rigger("module", "add", "shelf", "--no-input")
    return machines


def content(machines, name="node-1"):
    with open(machines.path("modules", "shelf", name)) as file:
        return file.read()


@pytest.mark.slow
def test_what_the_plan_shows_the_apply_does_and_nothing_stays_behind(machines):
    rigger = machines.rigger
    said = rigger("provision", "shelf").out
    assert "Would change: Write how large it is (node-1)" in said
    assert content(machines) == "3 {{ nothing }}\n" == content(machines, "node-2")
    assert "unseen" not in said and "s3cret" not in said and "token ***" in said
    state = machines.state()["modules"]["shelf"]
    assert (state["status"], state["output"]) == ("applied", {"heights": 2})
    applies = machines.ran().count(("shelf", "apply"))
    assert "Would change" not in rigger("provision", "shelf").out
    assert machines.ran().count(("shelf", "apply")) == applies
    for folder, folders, names in os.walk(machines.path("runs")):
        assert not [name for name in (*folders, *names) if name.endswith((".ansible", "hosts.yml"))], folder

    with open(machines.path("modules", "shelf", "node-2"), "a") as file:
        file.write("by hand\n")
    assert "Would change: Write how large it is (node-2)" in rigger("audit", "shelf", code=8).out
    assert content(machines, "node-2").endswith("by hand\n")
    rigger("provision", "shelf")
    assert content(machines, "node-2") == "3 {{ nothing }}\n"
    rigger("module", "remove", "shelf", "-y")
    assert not machines.exists("modules", "shelf", "node-1")


@pytest.mark.slow
def test_a_task_that_fails_fails_the_step_and_is_named(machines):
    machines.rigger("config", "set", "SHELF_SIZE=13")
    said = machines.rigger("provision", "shelf", code=5)
    assert "The playbook failed at: Fail where that is wanted (node-1)" in said.out + said.err


@pytest.mark.slow
def test_without_ansible_runner_one_sentence_says_how_to_get_it(machines, tmp_path):
    broken = tmp_path / "without"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'ansible_runner' else find(name, *more)\n"
    )
    path = f"{broken}:{machines.rigger.env['PYTHONPATH']}"
    said = machines.rigger("provision", "shelf", code=4, env={"PYTHONPATH": path}).err
    assert "shelf is a playbook, and ansible-runner is not installed" in said
    assert "pip install 'rigger[ansible]'" in said
