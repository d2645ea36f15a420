"""Provider scripts without a manifest: which of them are providers, and which file is a verb's script."""

import os

import pytest

from rigger.errors import ModuleIncomplete
from rigger.modules import interface1
from rigger.modules.interface1 import ABSENT, SOURCE, VERBS


class Toy:
    """The provider `toy` in a checkout."""

    def __init__(self, folder):
        self.checkout = str(folder)
        self.folder = os.path.join(self.checkout, "contrib", "toy")
        os.makedirs(self.folder)
        for verb in VERBS:
            self.script(verb)

    def script(self, name, content="#!/bin/sh\n", run=True):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(content)
        os.chmod(path, 0o755 if run else 0o644)
        return path

    def remove(self, name):
        os.unlink(os.path.join(self.folder, name))


@pytest.fixture
def toy(tmp_path):
    return Toy(tmp_path)


# Providers of a checkout


def test_providers_are_folders_of_contrib_with_a_create_and_no_manifest(toy, tmp_path):
    for name in ("aws", "docs", "Upper", "modern"):
        (tmp_path / "contrib" / name).mkdir()
    (tmp_path / "contrib" / "aws" / "create.sh").touch()
    (tmp_path / "contrib" / "Upper" / "create").touch()
    (tmp_path / "contrib" / "modern" / "create").touch()
    (tmp_path / "contrib" / "modern" / "rigger.yml").touch()
    assert interface1.find(toy.checkout) == {"aws": str(tmp_path / "contrib" / "aws"), "toy": toy.folder}
    assert list(interface1.find(toy.checkout)) == ["aws", "toy"]


def test_a_checkout_without_contrib_has_none(tmp_path):
    assert interface1.find(str(tmp_path)) == {}


def test_a_provider_as_a_module(toy):
    module = interface1.load(toy.folder)
    assert (module.name, module.role, module.interface) == ("toy", "provider", 1)
    assert module.contract.has_own_questions and module.contract.checked_after_create
    assert module.script_problems() == [] and not module.has_terraform
    assert module.shown(os.path.join(toy.folder, "create")) == "contrib/toy/create"


@pytest.mark.parametrize("verb", ["create", "destroy"])
def test_what_makes_and_what_removes_machines_must_be_there(toy, verb):
    toy.remove(verb)
    with pytest.raises(ModuleIncomplete) as refused:
        interface1.load(toy.folder)
    assert refused.value.message == f"{toy.folder} cannot be used: it has no {verb} and no {verb}.sh."


def test_a_program_stands_in_for_what_may_be_missing(toy):
    toy.remove("install")
    toy.remove("check")
    module = interface1.load(toy.folder)
    assert module.script("install") == module.script("check") == ABSENT
    assert module.script("backup") is None and os.access(ABSENT, os.X_OK)


# Which file is a script


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({}, None),
        ({"create.sh": True}, "create.sh"),
        ({"create": True, "create.sh": True}, "create"),
        ({"create": False, "create.sh": True}, "create"),
        ({"create": None, "create.sh": True}, "create.sh"),
        ({"create": None, "create.sh": None}, "create"),
    ],
)
def test_the_spelling_without_sh_counts_unless_only_the_other_can_run(toy, files, chosen):
    toy.remove("create")
    for name, run in files.items():
        toy.script(name, "" if run is None else "#!/bin/sh\n", run=bool(run))
    found = interface1.own_script(toy.folder, "create")
    assert found == (chosen and os.path.join(toy.folder, chosen))


@pytest.mark.parametrize(
    ("content", "run", "reason"),
    [
        ("#!/bin/sh\n", True, None),
        ("true\n", False, None),
        ("#!/usr/bin/env bash\n", False, None),
        ("#! /usr/bin/env -S bash -e\n", False, None),
        ("#!\n", False, None),
        ("true\n", True, "has no #! line"),
        ("", False, "is empty"),
        ("", True, "is empty"),
        ("\0ELF", False, "is a program that is not executable"),
        (
            "#!/usr/bin/env python3\n",
            False,
            "is not executable, and is no shell script that could be sourced: python3 runs it",
        ),
        (
            "#!/usr/bin/perl -w\n",
            False,
            "is not executable, and is no shell script that could be sourced: perl runs it",
        ),
    ],
)
def test_why_a_file_cannot_run(toy, content, run, reason):
    path = toy.script("create", content, run)
    assert interface1.problem(path) == reason
    assert interface1.unusable(toy.folder) == ([f"{path} {reason}"] if reason else [])


@pytest.mark.parametrize("run", [True, False], ids=["executable", "not executable"])
def test_a_config_sh_is_sourced_whatever_its_mode(toy, run):
    toy.script("config.sh", "prompt 'Zone?' ZONE\n", run)
    assert interface1.unusable(toy.folder) == [] == interface1.load(toy.folder).script_problems()


def test_what_is_no_file_at_all(toy):
    folder, link, pipe = (os.path.join(toy.folder, name) for name in ("create.sh", "check.sh", "install.sh"))
    os.mkdir(folder)
    os.symlink("nothing", link)
    os.mkfifo(pipe)
    assert interface1.problem(folder) == "is a folder, not a script"
    assert interface1.problem(link) == "is a link to nothing"
    assert interface1.problem(pipe) == "is no file"
    assert len(interface1.load(toy.folder).script_problems()) == 3


def test_a_script_without_the_run_bit_is_sourced(toy):
    sourced, run = toy.script("create", run=False), os.path.join(toy.folder, "destroy")
    assert interface1.is_sourced(sourced) and not interface1.is_sourced(run)
    module = interface1.load(toy.folder)
    assert module.argv(sourced) == [SOURCE, sourced] and module.argv(run) == [run]
