"""A provider without a manifest whose Terraform keeps its state in the checkout, as git ignores it there."""

import os

import pytest
from conftest import Rigger
from helpers.kiln_repository import MAIN, TERRAFORM, Kiln
from helpers.terraform_provider import needs_terraform

pytestmark = [needs_terraform, pytest.mark.slow]


@pytest.fixture
def kiln(rigger, tmp_path):
    kiln = Kiln(rigger, tmp_path, TERRAFORM, main_tf=MAIN)
    kiln.configure()
    rigger("provision")
    assert len(kiln.made()) == 2
    return kiln


def test_a_new_clone_then_destroy(kiln):
    kiln.rigger("checkout", "--clone", "--trust")
    kiln.rigger("check")
    kiln.rigger("destroy", "--yes")
    assert kiln.made() == []


def test_destroyed_on_another_machine(kiln, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Rigger(str(tmp_path / "elsewhere"), str(tmp_path))
    elsewhere.env |= {"MACHINES": kiln.machines, "RIGGER_HOME": elsewhere.home}
    bundle = str(tmp_path / "a.rigger")
    kiln.rigger("save", "-o", bundle)
    elsewhere("configure", "--no-input", "--trust", "--file", bundle)
    elsewhere("checkout", "--trust")
    elsewhere("destroy", "--yes")
    assert kiln.made() == []


def test_without_its_state_nothing_is_called_destroyed(kiln):
    os.unlink(kiln.folder("terraform.tfstate"))
    os.unlink(kiln.state("own-folder", "terraform.tfstate"))
    said = kiln.rigger("destroy", "--yes", code=4)
    assert "kept terraform.tfstate" in said.err
    assert len(kiln.made()) == 2
