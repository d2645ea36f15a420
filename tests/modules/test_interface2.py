"""How a module with a manifest keeps the contract."""

import os

import pytest

from rigger.files import PACKAGE
from rigger.modules.interface2 import Interface
from rigger.modules.verbs import REQUIRED

CONTRACT = Interface()


@pytest.fixture
def script(tmp_path):
    """Write a script and return its path."""

    def write(name, run=True):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755 if run else 0o644)
        return str(tmp_path / name)

    return write


def test_a_script_may_end_in_sh(tmp_path, script):
    own = script("create.sh")
    assert CONTRACT.script(str(tmp_path), "create") == own
    assert CONTRACT.script(str(tmp_path), "destroy") is None


def test_a_folder_is_no_script(tmp_path):
    (tmp_path / "create").mkdir()
    assert CONTRACT.script(str(tmp_path), "create") is None


@pytest.mark.parametrize("role", ["provider", "platform", "addon"])
def test_every_script_that_is_missing_is_named(tmp_path, role):
    said = CONTRACT.problems(str(tmp_path), role, lambda verb: None)
    assert said == [f"it has no script {verb}" for verb in REQUIRED[role]]


def test_a_script_that_is_there_and_cannot_run_is_not_missing_too(tmp_path, script):
    path = script("create", run=False)
    found = {"create": None}
    said = CONTRACT.problems(str(tmp_path), "provider", lambda verb: found.get(verb, "/a"))
    assert said == [f"{path} is not executable"]


def test_upgrades_are_looked_at_and_other_files_are_not(tmp_path, script):
    upgrade = script("upgrade-graceful.sh", run=False)
    script("README", run=False)
    said = CONTRACT.problems(str(tmp_path), "platform", lambda verb: "/a")
    assert said == [f"{upgrade} is not executable"]


def test_paths_as_people_write_them():
    assert (
        CONTRACT.shown("provider", "soil", "/srv/soil", "/srv/soil/tests/grows")
        == "providers/soil/tests/grows"
    )
    own = os.path.join(PACKAGE, "libexec", "terraform", "create")
    assert CONTRACT.shown("provider", "soil", "/srv/soil", own) == "libexec/terraform/create"
    assert CONTRACT.shown("provider", "soil", "/srv/soil", "/srv/soils/create") == "/srv/soils/create"
    assert CONTRACT.argv("/srv/soil/create") == ["/srv/soil/create"]
