"""Terraform with an environment's values, by a real Terraform, which has the terminal."""

import json
import os
import stat

import pytest
from helpers.terraform_provider import MANIFEST, StateServer, needs_terraform
from helpers.without_terminal import Listener, Person

from rigger.environments.home import Home
from rigger.errors import BadUsage, Declined, Locked
from rigger.operations.answers import Given
from rigger.operations.configure import configure
from rigger.operations.consent import Consent
from rigger.operations.terraform import migrate, terraform, unlock
from rigger.operations.values import set_values

MAIN = 'variable "greeting" {}\nresource "terraform_data" "pot" { input = var.greeting }\n'


@pytest.fixture(autouse=True)
def silent():
    """Let Terraform print: it is a program that has the terminal."""


@pytest.fixture
def pots(modules, cluster, monkeypatch):
    """An environment of the provider `clay`, which is a folder of .tf files."""
    folder = os.path.join(modules.folder, "providers", "clay")
    os.makedirs(folder)
    for name, text in (("rigger.yml", MANIFEST), ("main.tf", MAIN)):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    monkeypatch.setenv("CHECKPOINT_DISABLE", "1")
    flags = {"PROVIDER": "clay", "PLATFORM": "noop", "GREETING": "good day"}
    return configure(Home(cluster.rigger.home), Given("pots", flags, defaults=True)).environment


@pytest.fixture
def states():
    server = StateServer()
    yield server
    server.stop()


def calls(environment) -> list[str]:
    return [r["command"] for r in environment.audit.records() if r["event"] == "terraform"]


def state_file(environment) -> str:
    return environment.file("modules", "clay", "terraform.tfstate")


def test_a_provider_that_is_no_folder_of_tf_files(wood):
    for do in (lambda: terraform(wood, ["plan"]), lambda: unlock(wood), lambda: migrate(wood)):
        with pytest.raises(BadUsage, match="soil is no Terraform provider: its folder has no .tf files"):
            do()
    assert calls(wood) == []


@needs_terraform
def test_what_needs_no_state_prepares_none(pots, capfd):
    assert terraform(pots, ["version"]) == 0 and terraform(pots, ["plan", "-help"]) == 0
    assert "Terraform v" in capfd.readouterr().out
    assert not os.path.exists(pots.file("modules", "clay", ".terraform")) and calls(pots) == [
        "version",
        "plan",
    ]


@needs_terraform
def test_values_reach_it_and_its_exit_code_comes_back(pots, capfd):
    assert terraform(pots, ["plan", "-detailed-exitcode"]) == 2
    assert "good day" in capfd.readouterr().out
    assert terraform(pots, ["bogus"]) == 1
    assert calls(pots) == ["plan", "bogus"]


@needs_terraform
def test_a_state_is_private_and_kept_before_it_changes(pots):
    umask = os.umask(0o022)
    try:
        assert terraform(pots, ["apply", "-auto-approve"]) == 0
        assert os.umask(0o022) == 0o022, "only for Terraform"
    finally:
        os.umask(umask)
    assert stat.S_IMODE(os.stat(state_file(pots)).st_mode) == 0o600
    with open(state_file(pots)) as file:
        serial = json.load(file)["serial"]
    assert terraform(pots, ["state", "list"]) == 0
    kept = pots.file("modules", "clay", "backups", f"terraform.tfstate.{serial:06d}")
    assert not os.path.exists(kept), "what only looks needs none"
    assert terraform(pots, ["refresh"]) == 0
    assert os.path.exists(kept)


def test_nobody_else_works_there_meanwhile(pots):
    with pots.locked("rigger provision"), pytest.raises(Locked):
        terraform(pots, ["version"])


@needs_terraform
def test_a_state_moves_to_the_backend_that_is_configured(pots, states):
    assert terraform(pots, ["apply", "-auto-approve"]) == 0
    set_values(pots, states.settings)
    outcome = migrate(pots).as_dict()["outcome"]
    assert "moved from this environment's folder to the http backend" in outcome
    assert [r["type"] for r in states.state()["resources"]] == ["terraform_data"]
    assert migrate(pots).outcome.endswith("already.")


@pytest.mark.slow
@needs_terraform
def test_a_lock_is_released_once_somebody_agreed(pots, states):
    set_values(pots, states.settings)
    migrate(pots)
    assert unlock(pots).as_dict() == {"holder": None}
    states.server.held = json.dumps({"ID": "0815"}).encode()
    heard, person = Listener(), Person(False)
    with pytest.raises(Declined):
        unlock(pots, heard, person.consent())
    assert "(lock 0815)" in heard.warnings[-1] and states.server.held
    assert person.asked == ["Release it? Whoever holds it must not be at work any more."]
    assert "(lock 0815)" in unlock(pots, consent=Consent(yes=True)).holder and not states.server.held
