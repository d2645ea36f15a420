"""A bundle carries add-ons: their scripts, their state, and what another machine has to agree to."""

import os
import shutil

import pytest
from conftest import Rigger
from helpers.addons import Machines


@pytest.fixture
def saved(rigger, modules, tmp_path):
    """Save an environment with a broker and monitoring, and give it with the bundle's path."""
    machines = Machines(rigger, modules)
    rigger("provision")
    machines.write_story()
    for name in ("monitoring", "broker"):
        rigger("module", "add", name, "--no-input")
        rigger("provision", name)
    path = str(tmp_path / "bare.rigger")
    rigger("save", "-f", path)
    return machines, path


def elsewhere(tmp_path, machines):
    """Return the rigger of another machine, which has none of the modules."""
    shutil.rmtree(machines.modules.folder)
    home = tmp_path / "elsewhere"
    home.mkdir()
    other = Rigger(str(home), str(tmp_path))
    other.env["RIGGER_HOME"] = other.home
    return other


@pytest.mark.slow
def test_a_machine_that_has_none_of_the_modules_goes_on(saved, tmp_path):
    machines, path = saved
    before = machines.state()
    other = elsewhere(tmp_path, machines)
    refused = other("configure", "--file", path, "--no-input", code=2)
    assert "addon/broker/apply" in refused.out + refused.err
    other("configure", "--file", path, "--no-input", "--trust")
    machines.rigger = other
    assert f"broker={machines.path('scripts', 'addon', 'broker')}" in machines.vars()
    listed = other("module", "list").out
    assert listed.count("applied") == 4
    said = other("provision", "monitoring").out
    assert "monitoring plan" in said
    after = machines.state()
    assert after["modules"]["broker"]["output"] == before["modules"]["broker"]["output"]
    assert [node["used_by"] for node in after["nodes"]] == [node["used_by"] for node in before["nodes"]]
    other("module", "remove", "broker", "-y")
    other("destroy", "-y")


@pytest.mark.slow
def test_a_script_of_an_addon_that_changed_after_it_was_agreed_to_does_not_run(saved, tmp_path):
    machines, path = saved
    other = elsewhere(tmp_path, machines)
    other("configure", "--file", path, "--no-input", "--trust")
    machines.rigger = other
    script = machines.path("scripts", "addon", "broker", "apply")
    assert os.access(script, os.X_OK)
    with open(script, "a") as file:
        file.write("true\n")
    assert "not the ones that somebody agreed to" in other("provision", "broker", code=2).err


@pytest.mark.slow
def test_a_machine_that_has_the_modules_uses_its_own(saved):
    machines, path = saved
    machines.rigger("forget", "bare", "-y", code=None)
    home = machines.rigger.home
    shutil.rmtree(home)
    machines.rigger("configure", "--file", path, "--no-input", "--trust")
    assert 'MODULES="monitoring,broker"' in machines.vars()
