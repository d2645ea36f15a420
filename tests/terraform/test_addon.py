"""An add-on that is a folder of .tf files: its outputs are its part of the state, and each instance has its own."""

import os
import shutil

import pytest
from helpers.addons import Machines

MAIN = """\
variable "size" {}
variable "token" { default = "" }
resource "terraform_data" "shelf" { input = var.size }
output "shelves" { value = terraform_data.shelf.output }
output "door_key" {
  value     = "key-of-${var.size}-${var.token}"
  sensitive = true
}
"""


@pytest.fixture
def machines(rigger, modules):
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed")
    machines = Machines(rigger, modules)
    manifest = "labels: {kind: shelf}\nprovides: [shelves]\nquestions: [{name: SIZE, default: '3'}]\n"
    folder = machines.addon("shelf", manifest)
    for verb in ("apply", "destroy"):
        os.unlink(os.path.join(folder, verb))
    with open(os.path.join(folder, "main.tf"), "w") as file:
        file.write(MAIN)
    rigger("provision")
    return machines


@pytest.mark.slow
def test_it_is_applied_changed_and_removed(machines):
    rigger = machines.rigger
    rigger("module", "add", "shelf", "--no-input")
    assert "terraform_data.shelf will be created" in rigger("provision", "shelf", "--plan").out
    said = rigger("provision", "shelf").out
    assert "key-of-3-" not in said
    state = machines.state()["modules"]["shelf"]
    assert (state["status"], state["output"]) == ("applied", {"shelves": "3"})
    with open(machines.path("secrets")) as file:
        assert 'SHELF_DOOR_KEY="key-of-3-"' in file.read()
    rigger("audit", "shelf")
    rigger("config", "set", "SHELF_SIZE=4")
    rigger("provision")
    assert machines.state()["modules"]["shelf"]["output"] == {"shelves": "4"}
    rigger("module", "remove", "shelf", "-y")
    assert machines.status().get("shelf") in (None, "destroyed")


@pytest.mark.slow
def test_each_instance_has_a_state_of_its_own(machines):
    rigger = machines.rigger
    for name, size in (("shelf", 1), ("shelf2", 2)):
        rigger("module", "add", "shelf", "--as", name, "--set", f"SIZE={size}", "--no-input")
        rigger("provision", name)
    outputs = {name: one["output"] for name, one in machines.state()["modules"].items() if "shelf" in name}
    assert outputs == {"shelf": {"shelves": "1"}, "shelf2": {"shelves": "2"}}
    rigger("module", "remove", "shelf", "-y")
    assert machines.exists("modules", "shelf2", "terraform.tfstate")
