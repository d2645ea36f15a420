"""What a module is, as a value."""

import os

import pytest

from rigger.modules.interface1 import Interface1
from rigger.modules.model import Module


@pytest.mark.parametrize(
    ("role", "files", "has"),
    [
        ("provider", ["main.tf"], True),
        ("provider", ["main.tf.json"], True),
        ("provider", ["create", "terraform.tfvars", "main.tf.bak"], False),
        ("addon", ["main.tf"], True),
        ("platform", ["main.tf"], False),
    ],
)
def test_a_provider_or_add_on_with_tf_files_has_terraform(tmp_path, role, files, has):
    for name in files:
        (tmp_path / name).touch()
    assert Module("clay", role, str(tmp_path)).has_terraform == has


def test_tf_files_mean_nothing_before_there_were_manifests(tmp_path):
    (tmp_path / "main.tf").touch()
    assert not Module("clay", "provider", str(tmp_path), contract=Interface1()).has_terraform


def test_a_folder_that_is_gone_has_nothing():
    gone = Module("clay", "provider", "/nowhere/clay")
    assert not gone.has_terraform and gone.script("create") is None


@pytest.mark.parametrize(
    ("timeouts", "verb", "seconds"),
    [
        ({}, "create", 3600),
        ({}, "check", 600),
        ({}, "tests/grows", 1800),
        ({"create": 60.0}, "create", 60),
        ({"create": 60.0}, "destroy", 3600),
        ({"test": 60.0}, "tests/grows", 60),
        ({"test": 60.0, "tests/slow": 90.0}, "tests/slow", 90),
        ({"test": 60.0}, "check", 600),
    ],
)
def test_how_long_a_script_may_take(timeouts, verb, seconds):
    assert Module("clay", "provider", "/clay", timeouts=timeouts).timeout(verb) == seconds


def test_a_script_may_end_in_sh(tmp_path):
    (tmp_path / "create.sh").write_text("#!/bin/sh\n")
    module = Module("soil", "provider", str(tmp_path))
    assert module.script("create") == str(tmp_path / "create.sh")
    (tmp_path / "create").write_text("#!/bin/sh\n")
    assert module.script("create") == str(tmp_path / "create")
    assert module.script("destroy") is None


def test_the_contract_decides_how_scripts_are_run_and_shown(tmp_path):
    path = os.path.join(str(tmp_path), "create")
    with open(path, "w") as file:
        file.write("true\n")
    modern = Module("soil", "provider", str(tmp_path))
    old = Module("soil", "provider", str(tmp_path), contract=Interface1())
    assert (modern.interface, old.interface) == (2, 1)
    assert modern.script_problem(path) == "is not executable" and old.script_problem(path) is None
    assert modern.argv(path) == [path] and len(old.argv(path)) == 2
    assert (modern.shown(path), old.shown(path)) == ("providers/soil/create", "contrib/soil/create")
