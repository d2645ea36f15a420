"""rigger leftovers: what a killed create may have made stays on record until somebody says that it is gone."""

import contextlib
import json
import os
import signal
import time

import pytest
from helpers.clusters import ended, wait_for
from helpers.processes import below, name_of
from helpers.second_machine import elsewhere
from helpers.terraform_provider import needs_terraform

KILN = """\
interface: 2
name: kiln
role: provider
description: Pots, each a file
questions:
  - {name: NODES, type: integer, min: 0, max: 9, default: 4}
  - {name: SHELF, type: path}
"""
MAIN = """\
variable "nodes" { type = number }
variable "shelf" { type = string }
resource "terraform_data" "pot" {
  count = var.nodes
  input = "${var.shelf}/${count.index}"
  provisioner "local-exec" { command = "touch ${var.shelf}/$(date +%s%N); until [ -e ${var.shelf}/quick ]; do sleep 0.1; done" }
}
output "nodes" { value = [for n in range(var.nodes) : { name = "pot-${n + 1}", address = "127.0.0.1" }] }
"""


class Shelf:
    """The provider `kiln`, whose pots are files on a shelf that Terraform knows of only when they are done."""

    def __init__(self, rigger, modules):
        self.rigger, self.folder = rigger, os.path.join(rigger.folder, "shelf")
        module = os.path.join(modules.folder, "providers", "kiln")
        for folder in (self.folder, module):
            os.makedirs(folder)
        for name, text in {"rigger.yml": KILN, "main.tf": MAIN}.items():
            with open(os.path.join(module, name), "w") as file:
                file.write(text)
        rigger.env["CHECKPOINT_DISABLE"] = "1"
        chosen = (
            "--name",
            "pots",
            "--provider",
            "kiln",
            "--platform",
            "noop",
            "--set",
            f"SHELF={self.folder}",
        )
        rigger("configure", "--no-input", *chosen)

    def pots(self):
        return [name for name in os.listdir(self.folder) if name != "quick"]

    def be_quick(self):
        open(os.path.join(self.folder, "quick"), "w").close()

    def kill(self, whom):
        """Kill Terraform, and rigger where meant, while four pots are being made."""
        process = self.rigger.start("provision", "-v")
        wait_for(lambda: len(self.pots()) == 4, 60)
        time.sleep(0.2)
        family = below(process.pid)
        meant = family if whom == "all" else [pid for pid in family if name_of(pid) == "terraform"]
        for pid in [process.pid, *meant] if whom == "all" else meant:
            end(pid)
        self.be_quick()
        return ended(process)


def end(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def shelf(rigger, modules):
    return Shelf(rigger, modules)


@needs_terraform
@pytest.mark.slow
@pytest.mark.parametrize("whom", ["all", "terraform"])
def test_what_was_under_way_stays_on_record_until_somebody_says_that_it_is_gone(shelf, whom):
    rigger = shelf.rigger
    shelf.kill(whom)
    for _ in range(2):  # also the second time
        said = rigger("destroy", "--yes", code=5)
        assert "pots is not destroyed completely" in said.err
        assert all(f"terraform_data.pot[{n}] was being made" in said.err for n in range(4))
    assert len(shelf.pots()) == 4
    assert "May be left over: terraform_data.pot[3]" in str(rigger("status"))
    refused = rigger("forget", "pots", "--yes", code=2)
    assert "terraform_data.pot[0]" in refused.err and "leftovers --all-gone" in refused.err

    assert "is not on record" in rigger("leftovers", "--gone", "pot", "--yes", code=2).err
    rigger("leftovers", "--gone", "terraform_data.pot[0]", code=2)
    said = rigger("leftovers", "--gone", "terraform_data.pot[0]", "--yes")
    assert len(json.loads(rigger("leftovers", "-o", "json").out)["leftovers"]) == 3
    assert "pot[0]" not in rigger("destroy", "--yes", code=5).err
    rigger("leftovers", "--gone", "terraform_data.pot[1]", "--gone", "terraform_data.pot[2]", "--yes")
    assert "By your word nothing is left of pots" in rigger("leftovers", "--all-gone", "--yes").out
    rigger("destroy", "--yes")
    rigger("destroy", "--yes")
    rigger("forget", "pots", "--yes")


@needs_terraform
@pytest.mark.slow
@pytest.mark.parametrize("whom", ["all", "terraform"])
def test_it_is_made_a_second_time_only_when_somebody_agrees(shelf, whom):
    rigger = shelf.rigger
    shelf.kill(whom)
    refused = rigger("provision", code=2)
    assert (
        "terraform_data.pot[2] was being made" in str(refused)
        and "There is no terminal to ask on" in refused.err
    )
    assert len(shelf.pots()) == 4
    rigger("provision", "--yes")
    assert len(shelf.pots()) == 8
    assert len(json.loads(rigger("leftovers", "-o", "json").out)["leftovers"]) == 4
    rigger("provision")  # what was agreed to is not asked again
    rigger("config", "set", "NODES=3")
    rigger("provision", "--yes")
    said = rigger("destroy", "--yes", code=5)
    assert said.err.count("was being made") == 4
    rigger("leftovers", "--all-gone", "--yes")
    rigger("destroy", "--yes")
    rigger("forget", "pots", "--yes")


@needs_terraform
@pytest.mark.slow
def test_a_terraform_that_outlives_rigger_leaves_nothing_behind(shelf):
    process = shelf.rigger.start("provision")
    wait_for(lambda: len(shelf.pots()) == 4, 60)
    family = below(process.pid)
    end(process.pid)
    shelf.rigger("destroy", "--yes", code=7)
    shelf.be_quick()
    wait_for(lambda: not any(name_of(pid) for pid in family), 60)
    shelf.rigger("destroy", "--yes")
    assert json.loads(shelf.rigger("leftovers", "-o", "json").out)["leftovers"] == []


@pytest.mark.slow
@needs_terraform
def test_a_record_of_it_travels(shelf, tmp_path):
    rigger = shelf.rigger
    shelf.kill("all")
    rigger("provision", code=2)
    rigger("save", "--output", tmp_path / "pots.rigger")
    there = elsewhere(rigger, tmp_path)
    there("configure", "--file", tmp_path / "pots.rigger", "--no-input", "--trust")
    there("provision", code=2)
    assert "terraform_data.pot[1]" in there("destroy", "--yes", code=5).err


def test_what_a_killed_script_named_is_recorded(cluster):
    cluster.script("provider", "create", 'rigger-leftover "disk d-1"; touch $HOME/begun; exec sleep 60')
    process = cluster.rigger.start("provision")
    wait_for(lambda: os.path.exists(os.path.join(os.environ["HOME"], "begun")), 20)
    for pid in [process.pid, *below(process.pid)]:
        end(pid)
    ended(process)
    cluster.script("provider", "destroy", "exit 3")
    assert "disk d-1" in cluster.rigger("destroy", "--yes", code=5).err
    cluster.script("provider", "destroy", "")
    cluster.rigger("destroy", "--yes")
    assert "Nothing is on record" in cluster.rigger("leftovers").out
