"""Values on their way to Terraform, and the folder that it works in."""

import json
import os
import stat

import pytest
from helpers.terraform_provider import clay_manifest, needs_terraform

from rigger.errors import InvalidConfig, Refused
from rigger.terraform import steps
from rigger.terraform.workspace import environ, expression, missing, variables

pytestmark = needs_terraform

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
    named = "RATE ON MAP OBJECT ANY OPEN EMPTY SPARED WITH_DASH OTHER".split()
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
        **{"OBJECT": '{"name": "${n}", "many": [1, 2.5]}', "ANY": HOSTILE[0], "EMPTY": "", "SPARED": ""},
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


@pytest.mark.slow
def test_there_is_one_workspace(clay):
    """Another one would have a state of its own, and all would be made a second time there."""
    clay.create()
    with open(clay.workspace.passing("environment"), "w") as file:  # what `workspace new` leaves
        file.write("other")
    clay.create(NODES="3")
    assert len(clay.made()) == 3 and not os.path.exists(clay.file("terraform.tfstate.d"))


@pytest.mark.slow
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


# What lies beside and above the folder

SHARED = """
variable "kind" {}
output "kind" { value = "${var.kind} ${module.inner.kind} ${trimspace(file("${path.module}/glaze"))}" }
module "inner" { source = "../inner" }
"""
USES = """
module "pots" {
  source = "../shared/pots"
  kind   = file("../shared/${var.glaze}.txt")
}
variable "glaze" { default = "raku" }
resource "terraform_data" "fire" {
  provisioner "local-exec" { command = "${path.module}/../shared/fire ${path.module} >'%s'" }
}
output "kind" { value = module.pots.kind }
output "text" { value = templatefile("${path.module}/../shared/text.tpl", { x = "y" }) }
output "plain" { value = "$${path.module}/../shared and ../nowhere" }
"""


@pytest.mark.slow
def test_modules_and_files_beside_and_above_the_folder_are_used_where_they_are(clay, tmp_path):
    files = {
        "shared/pots/main.tf": SHARED,
        "shared/pots/glaze": "blue\n",
        "shared/inner/main.tf": 'output "kind" { value = "inner" }\n',
        "shared/raku.txt": "black",
        "shared/text.tpl": "${x}!",
        "shared/fire": "#!/bin/sh\necho fired in $1\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "shared/fire").chmod(0o755)
    clay.write("uses.tf", USES % (tmp_path / "fired"))
    clay.create()
    given = clay.given()
    assert (given["KIND"], given["TEXT"]) == ("black inner blue", "y!")
    assert given["PLAIN"] == "${path.module}/../shared and ../nowhere"
    assert (tmp_path / "fired").read_text() == "fired in .\n"
    clay.run(steps.check)
    clay.run(steps.destroy)


def test_linked_and_hidden_folders_and_programs_come_along(clay, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "pots").mkdir(parents=True)
    (elsewhere / "pots" / "main.tf").write_text('output "kind" { value = "raku" }\n')
    os.symlink(elsewhere, os.path.join(clay.module, "linked"))
    os.symlink(clay.module, elsewhere / "back")
    os.makedirs(os.path.join(clay.module, ".hidden"))
    os.makedirs(os.path.join(clay.module, "bin"))
    clay.write(".hidden/main.tf", 'output "kind" { value = "glazed" }\n')
    clay.write("bin/fire", "#!/bin/sh\necho fired\n")
    os.chmod(os.path.join(clay.module, "bin/fire"), 0o755)
    clay.write(
        "more.tf",
        'module "a" { source = "./linked/pots" }\nmodule "b" { source = "./.hidden" }\n'
        'resource "terraform_data" "x" {\n provisioner "local-exec" { command = "./bin/fire" }\n}\n'
        'output "kinds" { value = "${module.a.kind} ${module.b.kind}" }\n',
    )
    clay.create()
    assert clay.given()["KINDS"] == "raku glazed"


def test_a_module_that_is_not_there_is_named(clay):
    clay.write("uses.tf", '\nmodule "pots" {\n  source = "../shared/pots"\n}\n')
    (told,) = missing(clay.workspace.module)
    assert told == (
        f'{clay.module}/uses.tf, line 3: the module "../shared/pots" is not at {clay.tmp_path}/shared/pots'
    )


# Files of somebody else's

EVIL = 'resource "terraform_data" "evil" { provisioner "local-exec" { command = "touch %s" } }\n'


def put(clay, name, text):
    os.makedirs(os.path.dirname(clay.file(name)), exist_ok=True)
    with open(clay.file(name), "w") as file:
        file.write(text)


@pytest.mark.parametrize("name", ["evil.tf", "evil.tf.json", "z_override.tf", "kiln/evil.tf"])
def test_only_what_rigger_lays_out_is_loaded(clay, tmp_path, name):
    os.mkdir(os.path.join(clay.module, "kiln"))
    clay.write("kiln/main.tf", "")
    clay.write("kiln.tf", 'module "kiln" { source = "./kiln" }\n')
    clay.create()
    marker, told = tmp_path / "ran", EVIL
    if name.endswith(".json"):
        command = {"provisioner": {"local-exec": {"command": "touch %s"}}}
        told = json.dumps({"resource": {"terraform_data": {"evil": command}}})
    put(clay, name, told % marker)
    with pytest.raises(Refused, match=f"{name} .*was not laid out by rigger") as problem:
        clay.create(NODES="1")
    assert not marker.exists() and clay.file(name) in problem.value.message
    os.unlink(clay.file(name))
    clay.create()


@pytest.mark.parametrize("name", ["terraform.tfvars", "x.auto.tfvars", "x.auto.tfvars.json"])
def test_a_file_of_values_beside_the_state_is_none_of_the_modules(clay, name):
    clay.create()
    put(clay, name, '{"nodes": 7}' if name.endswith("json") else "nodes = 7\n")
    with pytest.raises(Refused, match="was not laid out by rigger"):
        clay.create()


def test_a_file_that_the_module_has_no_more_goes(clay):
    clay.write("kiln.tf", "")
    clay.create()
    os.unlink(os.path.join(clay.module, "kiln.tf"))
    clay.create()
    assert not os.path.exists(clay.file("kiln.tf"))


def test_the_list_of_copied_files_removes_nothing_elsewhere(clay, tmp_path):
    clay.create()
    (tmp_path / "precious").touch()
    with open(clay.file(".copied"), "a") as file:
        file.write(f"../precious\n{tmp_path}/precious\nterraform.tfstate\n")
    clay.create()
    assert (tmp_path / "precious").exists() and len(clay.made()) == 2
