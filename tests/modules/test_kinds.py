"""The kinds of modules: which of rigger's own scripts stand in for those that a folder lacks."""

import os

import pytest

from rigger.modules import kinds
from rigger.modules.interface1 import Interface1
from rigger.modules.model import Container, ContainerCommand, Module


def module(folder, role="addon", **more):
    return Module("clay", role, str(folder), **more)


def step(kind, verb):
    return os.path.join(kinds.STEPS[kind], verb)


@pytest.fixture
def write(tmp_path):
    def write(name, text="#!/bin/sh\n"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    return write


def test_a_folder_of_terraform_gets_the_scripts_that_it_lacks(tmp_path, write):
    write("main.tf")
    own = write("create.sh")
    provider, addon = module(tmp_path, "provider"), module(tmp_path)
    assert provider.script("create") == own
    assert provider.script("destroy") == step(kinds.TERRAFORM, "destroy")
    assert provider.script("apply") is None and provider.script("backup") is None
    assert addon.script("apply") == step(kinds.TERRAFORM, "apply")
    assert module(tmp_path, "platform").script("destroy") is None


def test_the_check_of_terraform_goes_before_ones_own(tmp_path, write):
    own = write("check")
    assert module(tmp_path).script("check") == own
    write("main.tf")
    assert module(tmp_path).script("check") == step(kinds.TERRAFORM, "check")


def test_a_playbook_makes_an_add_on_one_of_ansible(tmp_path, write):
    write("project/entrypoint.yml")
    assert module(tmp_path).kind == kinds.ANSIBLE
    assert module(tmp_path).script("plan") == step(kinds.ANSIBLE, "plan")
    assert module(tmp_path, "provider").kind == ""


def test_an_image_does_what_its_manifest_names_and_ones_own_script_goes_first(tmp_path, write):
    commands = {name: ContainerCommand(name, name) for name in ("apply", "destroy", "metadata", "backup")}
    image = module(tmp_path, container=Container("busybox", commands))
    own = write("backup")
    assert image.script("apply") == step(kinds.CONTAINER, "apply")
    assert image.script("backup") == own
    assert image.script("audit") is None and image.script("metadata") is None


def test_before_there_were_manifests_there_were_no_kinds(tmp_path, write):
    write("main.tf")
    assert module(tmp_path, "provider", contract=Interface1()).kind == ""


def test_rigger_has_a_program_for_each_verb_of_each_kind():
    known = [(kind, verb) for (kind, _), verbs in kinds.VERBS.items() for verb in verbs]
    for kind, verb in [*known, *((kinds.CONTAINER, verb) for verb in kinds.ABLE)]:
        assert os.access(step(kind, verb), os.X_OK), (kind, verb)
