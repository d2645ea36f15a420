"""A create that failed before anything was made: its environment can be destroyed and forgotten."""

import os

import pytest
from helpers.terraform_provider import StateServer, needs_terraform

MANIFEST = "interface: 2\nname: kiln\nrole: provider\ndescription: Pots\n"
OUTPUT = 'output "nodes" { value = [{ name = "pot-1", address = "127.0.0.1" }] }\n'
WRONG = {
    "plan": 'resource "terraform_data" "pot" { input = file("${path.module}/not-there") }',
    "validation": 'resource "terraform_data" "pot" { input = var.nowhere }',
    "syntax": 'resource "terraform_data" "pot" {',
    "plugin": 'terraform { required_providers { pot = { source = "not.there/pot/pot" } } }',
}


@pytest.fixture
def kiln(rigger, modules):
    folder = os.path.join(modules.folder, "providers", "kiln")
    os.makedirs(folder)
    rigger.env["CHECKPOINT_DISABLE"] = "1"

    def write(main, *settings):
        for name, text in {"rigger.yml": MANIFEST, "main.tf": main + "\n" + OUTPUT}.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        words = [word for setting in settings for word in ("--set", setting)]
        rigger("configure", "--no-input", "--name", "a", "--provider", "kiln", "--platform", "noop", *words)

    return write


def make_and_forget(rigger):
    rigger("provision", code=5)
    rigger("destroy", "--yes")
    rigger("forget", "a", "--yes")


@pytest.mark.slow
@needs_terraform
@pytest.mark.parametrize("wrong", WRONG)
def test_by_terraform(rigger, kiln, wrong):
    kiln(WRONG[wrong])
    make_and_forget(rigger)


@pytest.mark.slow
@needs_terraform
def test_by_terraform_with_its_state_in_a_backend(rigger, kiln):
    states = StateServer()
    try:
        kiln(WRONG["plan"])
        rigger("config", "set", *(f"{name}={value}" for name, value in states.settings.items()))
        make_and_forget(rigger)
    finally:
        states.stop()


@pytest.mark.slow
@needs_terraform
def test_what_was_made_before_is_still_looked_for(rigger, kiln):
    kiln('resource "terraform_data" "pot" {}')
    rigger("provision")
    kiln(WRONG["plan"])
    rigger("provision", "--again", code=5)
    rigger("destroy", "--yes", code=5)
    assert "may still have machines" in rigger("forget", "a", "--yes", code=2).err
    kiln("")
    rigger("destroy", "--yes")
    rigger("forget", "a", "--yes")


@pytest.mark.slow
def test_by_a_script(cluster):
    cluster.script("provider", "create", "exit 1")
    cluster.rigger("provision", code=5)
    cluster.rigger("destroy", "--yes")
    cluster.rigger("forget", "wood", "--yes")


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["install", "create"])
def test_by_a_script_whose_destroy_cannot_say_that_nothing_is_there(cluster, verb):
    cluster.script("provider", verb, "exit 1")
    cluster.script("provider", "destroy", "exit 1")
    cluster.rigger("provision", code=5)
    assert "leftovers" in cluster.rigger("destroy", "--yes", code=5).err
    if verb == "create":
        cluster.rigger("forget", "wood", "--yes", code=2)
        cluster.rigger("leftovers", "--all-gone", code=2)  # that needs somebody's word
        assert "nothing is left of wood" in cluster.rigger("leftovers", "--all-gone", "--yes").out
    cluster.rigger("forget", "wood", "--yes")


@pytest.mark.slow
def test_nobodys_word_ends_what_was_not_tried_to_be_destroyed(provisioned):
    assert "Nothing is on record" in provisioned.rigger("leftovers", "--all-gone", "--yes").out
    provisioned.rigger("forget", "wood", "--yes", code=2)
    provisioned.script("provider", "destroy", "exit 1")
    provisioned.rigger("destroy", "--yes", code=5)
    assert "machine node-1 (10.0.0.1)" in provisioned.rigger("leftovers", "--all-gone", "--yes").out
    provisioned.rigger("provision")  # something is made again: the word was about what was there before
    provisioned.rigger("forget", "wood", "--yes", code=2)


def test_by_scripts_of_interface_1(rigger, tmp_path):
    folder = tmp_path / "repository" / "contrib" / "cloud"
    folder.mkdir(parents=True)
    for verb in ("install", "create", "check", "destroy"):
        (folder / f"{verb}.sh").write_text(f"#!/bin/bash\n# Summary: {verb}\n")
    (folder / "create.sh").write_text("#!/bin/bash\n# Summary: create\nexit 3\n")
    chosen = ("--name", "a", "--provider", folder, "--platform", "noop", "--trust")
    rigger("configure", "--no-input", *chosen)
    make_and_forget(rigger)
