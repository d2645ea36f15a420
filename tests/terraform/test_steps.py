"""Providers that are a folder of .tf files: a real Terraform makes `terraform_data`, and rigger keeps its state."""

import glob
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import zipfile

import pytest
from helpers.terraform_provider import (
    StateServer,
    TerraformProvider,
    instances,
    needs_terraform,
    without_terraform,
)

from rigger.errors import Interrupted, InvalidConfig, NotReady, Refused, RiggerError, StepFailed
from rigger.terraform import migrate, runner, steps
from rigger.terraform import state as terraform_state
from rigger.terraform.runner import Progress, find_program
from rigger.terraform.workspace import environ, expression, variables

pytestmark = needs_terraform


@pytest.fixture
def clay(tmp_path, monkeypatch):
    before = os.umask(0o077)
    yield TerraformProvider(tmp_path, monkeypatch)
    os.umask(before)


@pytest.fixture
def states():
    server = StateServer()
    yield server
    server.stop()


# The life of a cluster


def test_from_nothing_to_nodes_and_back(clay):
    clay.run(steps.check)
    assert "Nothing was made yet." in clay.text
    clay.run(steps.destroy)
    assert "Nothing was made." in clay.text

    clay.create(TOKEN="sesame-4711")
    assert "# terraform_data.node[0] will be created" in clay.text  # as people read a plan
    assert clay.said[-2].startswith("2 of 2: terraform_data.node[")
    assert clay.nodes() == ["node-1", "node-2"]
    assert clay.given()["GREETING_BACK"] == "hello" and clay.given()["ZONES"] == "a,c"
    assert clay.given("SECRETS_OUTPUT") == {"PASS": "open-sesame-4711"}
    assert stat.S_IMODE(os.stat(clay.file("terraform.tfstate")).st_mode) == 0o600
    assert not os.path.exists(clay.file("last-apply.jsonl"))
    clay.run(steps.check)

    before = clay.state()
    clay.create(NODES="3")
    assert clay.nodes() == ["node-1", "node-2", "node-3"]
    assert clay.state(f"backups/terraform.tfstate.{before['serial']:06d}") == before
    clay.create(NODES="1")
    assert clay.nodes() == ["node-1"] and len(clay.made()) == 1
    clay.run(steps.destroy)
    assert clay.made() == [] and not os.path.exists(clay.workspace.data)
    for step in (steps.check, steps.destroy):
        clay.run(step)
        assert "Nothing was made" in clay.text and not os.path.exists(clay.workspace.data)


def test_a_second_time_makes_nothing_and_needs_no_init(clay):
    noted = clay.stand_in('echo "$1" >>"$NOTED"; exec "$REAL" "$@"')
    clay.create()
    assert noted.read_text().split() == ["version", "init", "plan", "apply"]
    before = clay.bytes()
    noted.unlink()
    clay.create()
    assert noted.read_text().split() == ["version", "plan"] and clay.bytes() == before
    assert clay.given()["GREETING_BACK"] == "hello" and clay.nodes() == ["node-1", "node-2"]
    noted.unlink()
    clay.write("more.tf", 'resource "terraform_data" "more" { input = 1 }\n')
    clay.create()
    assert noted.read_text().split() == ["version", "init", "plan", "apply"]


def test_drift_is_found_and_exits_8(clay):
    assert clay.run(steps.show_drift) == 0
    clay.create()
    assert clay.run(steps.show_plan) == 0 and clay.run(steps.show_drift) == 0
    state = clay.state()
    node = next(resource for resource in state["resources"] if resource["name"] == "node")
    del node["instances"][1]
    clay.put({**state, "serial": state["serial"] + 1})
    with pytest.raises(StepFailed, match="Something differs"):
        clay.run(steps.check)
    assert "# terraform_data.node[1] will be created" in clay.text
    assert clay.run(steps.show_plan) == 8 and clay.run(steps.show_drift) == 8


def test_the_modules_own_check_follows(clay):
    clay.write("check", "#!/bin/sh\ntest -e $HOME/good\n")
    os.chmod(os.path.join(clay.module, "check"), 0o755)
    with pytest.raises(StepFailed, match="own check exited 1"):
        clay.run(steps.check)
    open(os.path.join(clay.values["HOME"], "good"), "w").close()
    clay.run(steps.check)


def test_a_mistake_in_the_files_is_told_as_terraform_tells_it(clay):
    clay.write("wrong.tf", 'resource "terraform_data" "x" { input = var.nowhere }\n')
    with pytest.raises(StepFailed, match="terraform (init|plan) failed"):
        clay.create()
    assert "Reference to undeclared input variable" in clay.text
    os.unlink(os.path.join(clay.module, "wrong.tf"))
    clay.create()
    assert not os.path.exists(clay.file("wrong.tf"))


def test_the_saved_plan_is_what_is_applied(clay):
    """A stand-in changes the files after the plan; it runs the real Terraform."""
    clay.stand_in('"$REAL" "$@"; code=$?; [ "$1" != plan ] || sed -i s/var.nodes/9/ main.tf; exit $code')
    clay.create()
    assert len(clay.made()) == 2


def test_no_plan_is_left(clay):
    plan = clay.workspace.passing("plan")
    clay.write(
        "fails.tf", 'resource "terraform_data" "x" {\n  provisioner "local-exec" { command = "false" }\n}\n'
    )
    with pytest.raises(StepFailed, match="apply failed"):
        clay.create()
    assert "error: terraform_data.x: local-exec provisioner error" in clay.text
    assert not os.path.exists(plan) and len(clay.made()) == 3
    with open(plan, "w") as file:
        file.write("of a run that was killed")
    with pytest.raises(StepFailed, match="Something differs"):
        clay.run(steps.check)
    assert not os.path.exists(plan)
    clay.run(steps.destroy)
    assert clay.made() == []


def test_a_resource_that_is_replaced_counts_once():
    said = []
    progress = Progress(said.append)

    def tell(kind, address, action):
        about = {"resource": {"addr": address}, "action": action}
        key = "change" if kind == "planned_change" else "hook"
        progress.take(json.dumps({"type": kind, "@message": f"{address} {action}", key: about}).encode())

    tell("planned_change", "a", "replace")
    tell("planned_change", "b", "create")
    tell("planned_change", "c", "noop")
    for address, action in (("a", "delete"), ("b", "create"), ("a", "create")):
        tell("apply_complete", address, action)
    assert said == ["0 of 2: a delete", "1 of 2: b create", "2 of 2: a create"]


# Values

HOSTILE = [
    'it\'s "quoted"',
    "two\nlines\ttab",
    "${var.token} %{ if true } $${x}",
    "$(touch x) `id`",
    "a\\nb\\",
    "ünïcode 🚀",
    " ",
    "-destroy",
    "\x01\x1b[31m",
]
TYPES = """
variable "nodes" { type = number }
variable "rate" { type = number }
variable "on" { type = bool }
variable "list" { type = list(string) }
variable "none" {
  type    = list(string)
  default = ["all"] # of them
}
variable "map" { type = map(string) }
variable "object" {
  type = object({
    name = string
    many = list(number)
  })
}
variable "any" { type = any }
variable "open" {}
variable "empty" { type = string }
variable "left-out" { default = "the default" }
variable "with-dash" { type = string }
variable "renamed" { type = string }
/* variable "absent" {} */
output "all" {
  value = {
    nodes = var.nodes + 1, rate = var.rate, on = !var.on, list = var.list, none = var.none, map = var.map
    object = var.object, any = var.any, open = var.open, empty = var.empty, left = var.left-out
    dash = var.with-dash, renamed = var.renamed
  }
}
"""


def test_values_arrive_by_their_types(clay):
    named = "RATE ON MAP OBJECT ANY OPEN EMPTY LEFT_OUT WITH_DASH OTHER".split()
    questions = "".join(f"  - {{name: {name}, optional: true}}\n" for name in named)
    lists = "".join(f"  - {{name: {name}, type: checkbox, choices: [a, b]}}\n" for name in ("LIST", "NONE"))
    clay.write("rigger.yml", clay_manifest(questions + lists + "terraform: {variables: {renamed: OTHER}}\n"))
    clay.write("main.tf", TYPES)
    hostile = {f"key {index} ${{x}}": value for index, value in enumerate(HOSTILE)}
    clay.create(
        **{
            "RATE": "0.25",
            "ON": "true",
            "LIST": "a,b",
            "NONE": "",
            "MAP": json.dumps(hostile),
            "OPEN": HOSTILE[2],
        },
        **{"OBJECT": '{"name": "${n}", "many": [1, 2.5]}', "ANY": HOSTILE[0], "EMPTY": "", "LEFT_OUT": ""},
        **{"WITH_DASH": HOSTILE[4], "OTHER": HOSTILE[1], "LEFT": "no", "DEFAULT": "no"},
    )
    assert json.loads(clay.given()["ALL"]) == {
        "nodes": 3,
        "rate": 0.25,
        "on": False,
        "list": ["a", "b"],
        "none": [],
        "map": hostile,
        "object": {"name": "${n}", "many": [1, 2.5]},
        "any": HOSTILE[0],
        "open": HOSTILE[2],
        "empty": "",
        "left": "the default",
        "dash": HOSTILE[4],
        "renamed": HOSTILE[1],
    }


def clay_manifest(more):
    return f"interface: 2\nname: clay\nrole: provider\nquestions:\n  - {{name: NODES, default: 2}}\n{more}"


@pytest.mark.parametrize("value", ["x", "${a}", "%{b}", '"', "\\", "\b\f", {"k": [True, None, 1.5]}])
def test_an_expression_is_read_as_nothing_else(value):
    text = expression(value)
    assert "${" not in text.replace("$${", "") and "%{" not in text.replace("%%{", "")


def test_what_a_shell_holds_changes_nothing(clay):
    clay.write("user.tf", 'variable "user" { default = "nobody" }\noutput "user_back" { value = var.user }\n')
    clay.create(
        USER="eve", TF_VAR_nodes="7", TF_CLI_ARGS_plan="-destroy", TF_WORKSPACE="other", TF_VAR_user="mallory"
    )
    assert clay.nodes() == ["node-1", "node-2"] and clay.given()["USER_BACK"] == "nobody"


@pytest.mark.parametrize(
    "name, text",
    [
        ("terraform.tfvars", 'greeting = "moin"\nnodes = 7\n'),
        ("kiln.auto.tfvars.json", '{"greeting": "moin", "nodes": 7}'),
    ],
)
def test_a_file_of_values_does_not_beat_the_answers(clay, name, text):
    clay.write(name, text)
    with pytest.raises(InvalidConfig, match=f"{name} gives greeting, nodes, and Terraform would take that"):
        clay.create()
    clay.write(name, "# nodes = 7\n" if name.endswith("vars") else '{"heat": {"nodes": 7}}')
    clay.write("heat.tf", 'variable "heat" { default = {} }\n')
    clay.create()
    assert len(clay.made()) == 2


def test_there_is_one_workspace(clay):
    """Another one would have a state of its own, and all would be made a second time there."""
    clay.create()
    with open(clay.workspace.passing("environment"), "w") as file:  # what `workspace new` leaves
        file.write("other")
    clay.create(NODES="3")
    assert len(clay.made()) == 3 and not os.path.exists(clay.file("terraform.tfstate.d"))


def test_a_folder_of_a_module_may_be_called_like_a_script(clay):
    os.mkdir(os.path.join(clay.module, "plan"))
    clay.write("plan/main.tf", 'output "kind" { value = "raku" }\n')
    clay.write("more.tf", 'module "plan" { source = "./plan" }\noutput "kind" { value = module.plan.kind }\n')
    clay.create()
    assert clay.given()["KIND"] == "raku"


def test_a_script_beside_the_files_can_be_run(clay):
    script = os.path.join(clay.module, "scripts", "fire")
    os.mkdir(os.path.dirname(script))
    clay.write("scripts/fire", "#!/bin/sh\necho burning\n")
    os.chmod(script, 0o555)
    clay.write(
        "fire.tf",
        'resource "terraform_data" "fire" {\n'
        '  provisioner "local-exec" { command = "${path.module}/scripts/fire" }\n}\n',
    )
    for _ in range(2):
        clay.create()
        assert stat.S_IMODE(os.stat(clay.file("scripts", "fire")).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(clay.file("main.tf")).st_mode) == 0o600


def test_secrets_are_never_arguments(clay):
    """A stand-in notes the arguments that it gets, and runs the real Terraform."""
    noted = clay.stand_in('tr "\\0" "\\n" <"/proc/$$/cmdline" >>"$NOTED"; exec "$REAL" "$@"')
    clay.create(TOKEN="sesame-4711", GREETING="a greeting")
    clay.run(steps.destroy)
    assert "apply" in noted.read_text()
    assert "sesame" not in noted.read_text() and "a greeting" not in noted.read_text()
    assert variables(clay.workspace)["TF_VAR_token"] == "sesame-4711"
    assert environ(clay.workspace)["TF_INPUT"] == "0"


# The program


@pytest.mark.parametrize("version", ["0.11.0", "nonsense"])
def test_one_that_is_too_old_is_not_taken(clay, version):
    answer = json.dumps({"terraform_version": version})
    clay.stand_in(f"echo 'Terraform v{version}'; echo '{answer}'")
    path = f"{clay.tmp_path}/programs:{without_terraform(clay.tmp_path)}"
    with pytest.raises(NotReady, match=r"Terraform 1.3.0 or newer is needed, but .* is") as problem:
        find_program("1.3.0", path)
    assert "Install a newer one" in problem.value.next_step


def test_one_that_is_too_old_does_not_hide_another(clay):
    clay.stand_in("""echo '{"terraform_version": "0.11.0"}'""")
    real = os.path.dirname(shutil.which("terraform"))
    path = f"{clay.tmp_path}/programs:{without_terraform(clay.tmp_path)}:{real}"
    assert find_program("1.3.0", path).path == f"{real}/terraform"


def test_a_missing_one_that_cannot_be_had_is_told(clay):
    """No Terraform on the PATH; its mirror is a folder that has a corrupt archive, then none."""
    libexec = os.path.join(os.path.dirname(os.path.dirname(runner.__file__)), "libexec")
    mirror = clay.tmp_path / "mirror"
    for folder, _, _ in [*os.walk(clay.tmp_path / "mirror"), (str(mirror / "1.9.8"), [], [])]:
        os.makedirs(folder, exist_ok=True)
    archive = f"terraform_1.9.8_linux_{'arm64' if os.uname().machine == 'aarch64' else 'amd64'}.zip"
    (mirror / "1.9.8" / archive).write_bytes(b"PK, but not whole")
    (mirror / "1.9.8" / "terraform_1.9.8_SHA256SUMS").write_text(f"{'0' * 64}  {archive}\n")
    values = {
        "PATH": f"{libexec}:{without_terraform(clay.tmp_path)}",
        "RIGGER_BIN_DIR": str(clay.tmp_path / "bin"),
        "RIGGER_CACHE_DIR": str(clay.tmp_path / "cache"),
        "RIGGER_PYTHON": sys.executable,
        "TERRAFORM_DOWNLOAD_URL": f"file://{mirror}",
    }
    for url in (f"file://{mirror}", f"file://{mirror}/nowhere"):
        with pytest.raises(StepFailed, match="Terraform could not be installed") as problem:
            clay.run(steps.install, **{**values, "TERRAFORM_DOWNLOAD_URL": url})
        assert "TERRAFORM_ARCHIVE" in problem.value.next_step
        assert "There is neither Terraform nor OpenTofu 1.3.0" in clay.text
    assert not os.path.exists(clay.tmp_path / "bin" / "terraform")


def test_what_was_installed_is_what_works(clay):
    """An archive on this machine, of a stand-in that notes its arguments and runs the real Terraform."""
    noted = clay.stand_in('echo "$1" >>"$NOTED"; exec "$REAL" "$@"')
    archive = clay.tmp_path / "terraform_9.9.9_linux_amd64.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(clay.tmp_path / "programs" / "terraform", "terraform")
    libexec = os.path.join(os.path.dirname(os.path.dirname(runner.__file__)), "libexec")
    programs = str(clay.tmp_path / "bin")
    clay.run(
        steps.install,
        PATH=f"{libexec}:{programs}:{without_terraform(clay.tmp_path)}",
        RIGGER_BIN_DIR=programs,
        RIGGER_CACHE_DIR=str(clay.tmp_path / "cache"),
        RIGGER_PYTHON=sys.executable,
        TERRAFORM_ARCHIVE=str(archive),
    )
    assert f"{programs}/terraform" in clay.text
    clay.create()
    assert noted.read_text().split()[-3:] == ["init", "plan", "apply"]


def test_the_version_of_a_binary_is_asked_once(clay, monkeypatch):
    cache, asked = str(clay.tmp_path / "cache"), []
    ask = runner._version
    monkeypatch.setattr(runner, "_version", lambda path: asked.append(path) or ask(path))
    first = find_program("1.3.0", None, cache)
    assert find_program("1.3.0", None, cache) == first and len(asked) == 1
    copy = clay.tmp_path / "terraform"
    shutil.copy(first.path, copy)
    find_program("1.3.0", str(clay.tmp_path), cache)
    os.utime(copy, (1, 1))
    find_program("1.3.0", str(clay.tmp_path), cache)
    assert len(asked) == 3


def test_opentofu_will_do(clay):
    """A stand-in for OpenTofu: Terraform under its name, which notes the command lines that it is given."""
    noted = clay.stand_in('echo "$@" >>"$NOTED"; exec "$REAL" "$@"', name="tofu")
    clay.run(steps.install, PATH=f"{clay.tmp_path}/programs:{without_terraform(clay.tmp_path)}")
    assert "tofu 1." in clay.text
    clay.create()
    clay.run(steps.destroy)
    plan = clay.workspace.passing("plan")
    assert [line for line in noted.read_text().splitlines() if line != "version -json"] == [
        "init -input=false -no-color -reconfigure",
        f"plan -input=false -no-color -detailed-exitcode -out={plan}",
        f"apply -json -input=false {plan}",
        f"plan -input=false -no-color -detailed-exitcode -out={plan} -destroy=true",
        f"apply -json -input=false {plan}",
    ]
    assert clay.made() == []


# The state


def test_a_state_that_was_cut_off_anywhere_is_recovered(clay):
    clay.create(NODES="1")
    whole = clay.bytes()
    for size in range(0, len(whole) - 2, 10):
        clay.put(whole[:size])
        said = []
        terraform_state.guard(clay.workspace, said.append)
        assert "the last good one (serial" in said[0] and clay.bytes() == whole
    os.unlink(clay.file("terraform.tfstate"))
    clay.run(steps.check)
    assert "the last good one" in clay.text and clay.bytes() == whole


def test_an_older_or_another_state_is_refused(clay):
    clay.create()
    state = clay.state()
    clay.put({**state, "serial": 0})
    with pytest.raises(Refused, match=f"has serial 0, but the cloud has been told up to {state['serial']}"):
        clay.create()
    clay.put({**state, "lineage": "11111111-2222-3333-4444-555555555555"})
    with pytest.raises(Refused, match="of another lineage"):
        clay.run(steps.destroy)
    clay.put(state)
    clay.run(steps.destroy)


def test_a_state_that_is_none_is_not_written_over(clay):
    os.makedirs(clay.folder)
    clay.put(b'{"version": 4, "serial"')
    with pytest.raises(Refused, match="is not a Terraform state"):
        clay.create()
    assert clay.bytes() == b'{"version": 4, "serial"'


def test_what_a_killed_apply_made_is_imported_or_told(clay):
    """As if all were killed with the state two resources behind what Terraform had said."""
    clay.create(NODES="2")
    state = clay.state()
    lost = next(r for r in state["resources"] if r["name"] == "node")["instances"].pop()
    resource = {"addr": "terraform_data.node[1]"}
    hook = {"resource": resource, "action": "create", "id_key": "id", "id_value": lost["attributes"]["id"]}
    journal = [
        {"type": "apply_start", "hook": {"resource": resource, "action": "create"}},
        {"type": "apply_complete", "hook": hook},
        {"type": "apply_start", "hook": {"resource": {"addr": "terraform_data.node[2]"}, "action": "create"}},
    ]
    text = b"".join(json.dumps(line).encode() + b"\n" for line in journal) + b'{"type": "apply_comp'
    for name in ("terraform.tfstate", "terraform.tfstate.good"):
        clay.put(state, name)
    clay.put(text, "last-apply.jsonl")
    with pytest.raises(StepFailed):
        clay.run(steps.check)
    assert f"warning: terraform_data.node[1] was made with id={lost['attributes']['id']}" in clay.text
    assert "warning: terraform_data.node[2] was being made when Terraform was killed" in clay.text
    clay.create()
    assert "terraform_data.node[1]" in clay.text and "is in the state now" in clay.text
    assert lost["attributes"]["id"] in [i["attributes"]["id"] for i in clay.made()] and len(clay.made()) == 2
    clay.run(steps.destroy)
    assert clay.given() == {} and not os.path.exists(clay.file("last-apply.jsonl"))


def test_what_cannot_be_imported_is_left_over(clay):
    clay.create()
    hook = {
        "resource": {"addr": "terraform_data.gone"},
        "action": "create",
        "id_key": "id",
        "id_value": "i-7",
    }
    clay.put(json.dumps({"type": "apply_complete", "hook": hook}).encode(), "last-apply.jsonl")
    clay.run(steps.destroy)
    assert (
        clay.given()["LEFTOVERS"]
        == "terraform_data.gone was made with id=i-7, and the state does not know it"
    )
    clay.run(steps.destroy)
    assert clay.given() == {}


def test_a_state_that_terraform_could_not_save_is_saved_later(clay, states):
    clay.create(**states.settings)
    states.server.broken = range(states.server.posts + 1, 99)
    with pytest.raises(StepFailed):
        clay.create(NODES="3")
    assert len(instances(clay.state("errored.tfstate"))) == 3
    states.server.broken = ()
    clay.create()
    assert "could not save its state; it is saved now" in clay.text
    assert len(instances(states.state())) == 3 and not os.path.exists(clay.file("errored.tfstate"))


# A backend that a team shares


def test_the_state_moves_to_a_shared_backend_and_back(clay, states):
    clay.create()
    before = clay.state()
    clay.values.update(states.settings)
    with pytest.raises(Refused, match="kept in this environment's folder, but the http backend") as problem:
        clay.create()
    assert "rigger terraform migrate" in problem.value.next_step
    clay.run(migrate.migrate)
    assert same(states.state(), before) and not os.path.exists(clay.file("terraform.tfstate"))
    clay.run(steps.check)
    clay.create(NODES="3")
    assert clay.nodes() == ["node-1", "node-2", "node-3"] and not os.path.exists(
        clay.file("terraform.tfstate")
    )
    away = states.state()
    clay.values.update(TERRAFORM_BACKEND="local")
    with pytest.raises(Refused, match="kept in the http backend"):
        clay.run(steps.destroy)
    clay.run(migrate.migrate)
    assert same(clay.state(), away) and len(clay.made()) == 3
    clay.run(steps.check)
    clay.run(migrate.migrate)
    assert "in this environment's folder already" in clay.text
    clay.values.update(states.settings)
    clay.run(migrate.migrate)
    clay.run(steps.destroy)
    assert instances(states.state()) == []


def same(new, old):
    """Is it the same state? Terraform counts its serial up when it is put where there was none."""
    return {**new, "serial": 0} == {**old, "serial": 0} and new["serial"] >= old["serial"]


def test_a_move_meets_another_or_a_newer_state(clay, states):
    clay.create()
    mine = clay.state()
    clay.values.update(states.settings)
    states.server.states["/pots"] = json.dumps({**mine, "lineage": "somebody-else"}).encode()
    with pytest.raises(Refused, match="holds the state of something else"):
        clay.run(migrate.migrate)
    states.server.states["/pots"] = json.dumps({**mine, "serial": 99, "outputs": {}}).encode()
    with pytest.raises(Refused, match="holds a newer state .serial 99"):
        clay.run(migrate.migrate)
    states.server.states["/pots"] = json.dumps({**mine, "serial": 1, "outputs": {}}).encode()
    clay.run(migrate.migrate)
    assert same(states.state(), mine)


@pytest.mark.parametrize("broken", [1, 2])
def test_a_move_that_fails_leaves_the_state_where_it_was(clay, states, broken):
    clay.create()
    before = clay.bytes()
    states.server.broken = (broken,)
    clay.values.update(states.settings)
    with pytest.raises(StepFailed, match="is still in this environment's folder"):
        clay.run(migrate.migrate)
    assert clay.bytes() == before
    clay.values["TERRAFORM_BACKEND"] = "local"
    clay.run(steps.check)
    clay.values["TERRAFORM_BACKEND"] = "http"
    clay.run(migrate.migrate)
    assert same(states.state(), json.loads(before))


def test_a_move_to_a_server_that_loses_things_is_noticed(clay, states):
    clay.create()
    states.server.keeps = lambda body: json.dumps({**json.loads(body), "resources": []}).encode()
    with pytest.raises(StepFailed, match="is still in this environment's folder: what is there now is not"):
        clay.run(migrate.migrate, **states.settings)
    clay.run(steps.check, TERRAFORM_BACKEND="local")


def killed_at(number, work):
    """Do some work in a process that is killed just before its n-th change to the file system; return whether it was."""
    child = os.fork()
    if not child:
        seen = []

        def falling(event, arguments):
            if event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "subprocess.Popen"):
                seen.append(event)
                if len(seen) == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(falling)
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("back", [False, True])
def test_a_move_that_is_killed_leaves_the_state_in_one_known_place(clay, states, back):
    clay.create(NODES="1")
    configured = [{"TERRAFORM_BACKEND": "local"}, states.settings]
    if back:
        clay.run(migrate.migrate, **configured[1])
        configured.reverse()
    number, points = 1, []
    while True:
        shutil.copytree(clay.folder, clay.tmp_path / "kept", dirs_exist_ok=True)
        server = dict(states.server.states)
        if not killed_at(number, lambda: clay.run(migrate.migrate, **configured[1])):
            break
        known = []
        for settings in configured:
            clay.values.update(settings)
            try:
                clay.run(steps.check)
                known.append(settings["TERRAFORM_BACKEND"])
            except Refused:
                pass
        points.append(known)
        assert len(known) == 1, (number, known)
        shutil.rmtree(clay.folder)
        os.rename(clay.tmp_path / "kept", clay.folder)
        states.server.states = server
        number += 3
    assert len(points) > 3
    clay.values.update(configured[1])
    clay.run(steps.check)


def test_a_shared_state_that_is_older_or_gone_is_refused(clay, states):
    clay.create(**states.settings)
    state = states.state()
    states.server.states["/pots"] = json.dumps({**state, "serial": 0}).encode()
    with pytest.raises(Refused, match="http backend has serial 0"):
        clay.create()
    states.server.states.clear()
    with pytest.raises(
        Refused, match="The state in the http backend is of another lineage|There is no state"
    ):
        clay.run(steps.destroy)


# The longer one is as long as Terraform's own are, and is on another line of what Terraform says.
@pytest.mark.parametrize("id", ["0815", "4e43fb94-0815-4711-9c2f-0123456789ab"])
def test_a_lock_that_somebody_holds_is_told_and_released(clay, states, id):
    clay.create(**states.settings)
    held = {
        "ID": id,
        "Who": "ada@far",
        "Operation": "OperationTypeApply",
        "Created": "2026-11-20T20:00:00Z",
    }
    states.server.held = json.dumps(held).encode()
    with pytest.raises(StepFailed, match=f"The state is locked by .*{id}") as problem:
        clay.run(steps.check)
    assert "rigger terraform unlock" in problem.value.next_step
    assert clay.run(migrate.lock)["ID"] == id
    clay.run(migrate.unlock, id)
    assert not states.server.held
    assert clay.run(migrate.lock) == {}
    clay.run(steps.check)


def test_who_holds_a_lock_and_since_when():
    said = """Error: Error acquiring the state lock

Error message: resource temporarily unavailable
Lock Info:
  ID:        4e43fb94
  Path:      terraform.tfstate
  Operation: OperationTypeApply
  Who:       ada@far
  Version:   1.11.4
  Created:   2026-11-20 20:00:00.123 +0000 UTC
"""
    assert (
        runner.say_lock(runner.lock_of(said))
        == "ada@far since 2026-11-20 20:00:00, for apply (lock 4e43fb94)"
    )


def test_the_settings_of_a_backend_are_made_of_answers(clay, states):
    address = states.settings["TERRAFORM_BACKEND_CONFIG"].split()[0].partition("=")[2]
    block = 'terraform: {backends: {http: {address: "{{ STATES }}", retry_max: "0"}}}\n'
    clay.write("rigger.yml", clay_manifest("  - {name: STATES, default: x}\n" + block))
    clay.write("main.tf", 'variable "nodes" {}\nresource "terraform_data" "a" { input = var.nodes }\n')
    clay.create(TERRAFORM_BACKEND="http", STATES=address)
    assert len(instances(states.state())) == 1


def test_a_backend_in_the_modules_own_files_does_not_count(clay):
    """The state belongs to the environment, and everything here looks for it there."""
    clay.write(
        "backend.tf", 'terraform {\n  backend "local" { path = "/nonexistent/elsewhere.tfstate" }\n}\n'
    )
    clay.create()
    assert len(clay.made()) == 2
    clay.run(steps.destroy)
    assert clay.made() == []


def test_the_state_moves_to_s3(clay):
    """S3 is moto's server, over real HTTP on loopback."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        import boto3

        url = f"http://{host}:{port}"
        given = dict(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="us-east-1")
        s3 = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        s3.create_bucket(Bucket="states")
        clay.create()
        before = clay.state()
        skip = "skip_credentials_validation skip_metadata_api_check skip_requesting_account_id use_path_style"
        settings = "bucket=states key=pots region=us-east-1 " + " ".join(
            f"{name}=true" for name in skip.split()
        )
        shared = {"TERRAFORM_BACKEND": "s3", "TERRAFORM_BACKEND_CONFIG": settings, "AWS_ENDPOINT_URL_S3": url}
        clay.run(migrate.migrate, **shared, **given)
        assert (
            json.loads(s3.get_object(Bucket="states", Key="pots")["Body"].read())["lineage"]
            == before["lineage"]
        )
        clay.create(NODES="3")
        clay.run(migrate.migrate, TERRAFORM_BACKEND="local")
        assert clay.state()["lineage"] == before["lineage"] and len(clay.made()) == 3
    finally:
        server.stop()


def test_every_error_has_a_next_step(clay):
    clay.values["TERRAFORM_BACKEND"], clay.values["TERRAFORM_BACKEND_CONFIG"] = "http", "address"
    with pytest.raises(RiggerError, match="not of the form name=value"):
        clay.create()


def test_ctrl_c_between_two_commands_goes_no_further(clay, monkeypatch):
    monkeypatch.setattr(runner, "interrupted", threading.Event())
    clay.stand_in('[ "$1" = apply ] && touch "$NOTED"; exec "$REAL" "$@"')
    plan = runner.Terraform.plan

    def planned(*arguments, **options):
        changes = plan(*arguments, **options)
        runner.interrupted.set()
        return changes

    monkeypatch.setattr(runner.Terraform, "plan", planned)
    with pytest.raises(Interrupted):
        clay.create()
    assert not (clay.tmp_path / "noted").exists() and not os.path.exists(clay.workspace.passing("plan"))


POSTGRES = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [
    os.path.dirname(shutil.which("initdb") or "/initdb")
]


@pytest.fixture
def postgres():
    """A PostgreSQL on loopback, as the user postgres where this is root; its connection string."""
    if not os.path.exists(os.path.join(POSTGRES[-1], "initdb")):
        pytest.skip("there is no PostgreSQL server")
    folder = tempfile.mkdtemp(prefix="pg")
    as_user = []
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    initdb = [*as_user, f"{POSTGRES[-1]}/initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "postgres"]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -p {port}"
    control = [*as_user, f"{POSTGRES[-1]}/pg_ctl", "-D", f"{folder}/data", "-w"]
    log = ["-l", f"{folder}/log", "-o", options]
    subprocess.run([*control, *log, "start"], check=True, stdout=subprocess.DEVNULL, cwd="/")
    yield f"postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd="/")
    shutil.rmtree(folder)


@pytest.mark.heavy
def test_the_state_moves_to_postgresql_and_back(clay, postgres):
    clay.create()
    before = clay.state()
    clay.run(migrate.migrate, TERRAFORM_BACKEND="pg", TERRAFORM_BACKEND_CONFIG=f"conn_str={postgres}")
    assert not os.path.exists(clay.file("terraform.tfstate"))
    clay.create(NODES="3")
    clay.run(migrate.migrate, TERRAFORM_BACKEND="local")
    assert clay.state()["lineage"] == before["lineage"] and len(clay.made()) == 3
    clay.run(steps.destroy)
