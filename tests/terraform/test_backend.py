"""The settings of a backend that a team shares."""

import pytest
from helpers.terraform_provider import clay_manifest, instances, needs_terraform

from rigger.terraform import steps

pytestmark = needs_terraform


@pytest.mark.slow
def test_the_settings_of_a_backend_are_made_of_answers(clay, states):
    address = states.settings["TERRAFORM_BACKEND_CONFIG"].split()[0].partition("=")[2]
    block = 'terraform: {backends: {http: {address: "{{ STATES }}", retry_max: "0"}}}\n'
    clay.write("rigger.yml", clay_manifest("  - {name: STATES, default: x}\n" + block))
    clay.write("main.tf", 'variable "nodes" {}\nresource "terraform_data" "a" { input = var.nodes }\n')
    clay.create(TERRAFORM_BACKEND="http", STATES=address)
    assert len(instances(states.state())) == 1


def test_a_backend_in_the_modules_own_files_does_not_count_and_that_is_said(clay, capsys):
    """The state belongs to the environment, and everything here looks for it there."""
    clay.run(steps.install)
    assert capsys.readouterr().err == ""
    clay.write(
        "backend.tf", 'terraform {\n  backend "local" { path = "/nonexistent/elsewhere.tfstate" }\n}\n'
    )
    clay.run(steps.install)
    said = (
        "warning: The backend in the .tf files does not count: the state is kept in this environment's folder"
    )
    assert said in capsys.readouterr().err
    clay.create()
    assert len(clay.made()) == 2
    clay.run(steps.destroy)
    assert clay.made() == []
