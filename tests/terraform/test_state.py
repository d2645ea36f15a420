"""States that are cut off, older, another one's, or behind what exists."""

import json
import os

import pytest
from helpers.terraform_provider import instances, needs_terraform

from rigger.errors import Refused, StepFailed
from rigger.terraform import state as terraform_state
from rigger.terraform import steps

pytestmark = needs_terraform


# The state


@pytest.mark.slow
def test_a_state_that_was_cut_off_anywhere_is_recovered(clay):
    clay.create(NODES="1")
    whole = clay.bytes()
    for size in range(0, len(whole) - 2, 10):
        clay.put(whole[:size])
        said = []
        terraform_state.guard(clay.workspace, said.append)
        assert "the last good one (serial" in said[0] and clay.bytes() == whole
    os.unlink(clay.file("terraform.tfstate"))
    clay.run(steps.check)
    assert "the last good one" in clay.text and clay.bytes() == whole


def test_an_older_or_another_state_is_refused(clay):
    clay.create()
    state = clay.state()
    clay.put({**state, "serial": 0})
    with pytest.raises(Refused, match=f"has serial 0, but the cloud has been told up to {state['serial']}"):
        clay.create()
    clay.put({**state, "lineage": "11111111-2222-3333-4444-555555555555"})
    with pytest.raises(Refused, match="of another lineage"):
        clay.run(steps.destroy)
    clay.put(state)
    clay.run(steps.destroy)


def test_a_state_that_is_none_is_not_written_over(clay):
    os.makedirs(clay.folder)
    clay.put(b'{"version": 4, "serial"')
    with pytest.raises(Refused, match="is not a Terraform state"):
        clay.create()
    assert clay.bytes() == b'{"version": 4, "serial"'


@pytest.mark.slow
def test_what_a_killed_apply_made_is_imported_or_told(clay):
    """As if all were killed with the state two resources behind what Terraform had said."""
    clay.create(NODES="2")
    state = clay.state()
    lost = next(r for r in state["resources"] if r["name"] == "node")["instances"].pop()
    resource = {"addr": "terraform_data.node[1]"}
    hook = {"resource": resource, "action": "create", "id_key": "id", "id_value": lost["attributes"]["id"]}
    journal = [
        {"type": "apply_start", "hook": {"resource": resource, "action": "create"}},
        {"type": "apply_complete", "hook": hook},
        {"type": "apply_start", "hook": {"resource": {"addr": "terraform_data.node[2]"}, "action": "create"}},
    ]
    text = b"".join(json.dumps(line).encode() + b"\n" for line in journal) + b'{"type": "apply_comp'
    for name in ("terraform.tfstate", "terraform.tfstate.good"):
        clay.put(state, name)
    clay.put(text, "last-apply.jsonl")
    with pytest.raises(StepFailed):
        clay.run(steps.check)
    assert f"warning: terraform_data.node[1] was made with id={lost['attributes']['id']}" in clay.text
    assert "warning: terraform_data.node[2] was being made when Terraform was killed" in clay.text
    clay.create()
    assert "terraform_data.node[1]" in clay.text and "is in the state now" in clay.text
    assert lost["attributes"]["id"] in [i["attributes"]["id"] for i in clay.made()] and len(clay.made()) == 2
    clay.run(steps.destroy)
    assert clay.given()["LEFTOVERS"].startswith("terraform_data.node[2] was being made when")
    assert not os.path.exists(clay.file("last-apply.jsonl"))


def test_what_cannot_be_imported_is_left_over(clay):
    clay.create()
    hook = {
        "resource": {"addr": "terraform_data.gone"},
        "action": "create",
        "id_key": "id",
        "id_value": "i-7",
    }
    clay.put(json.dumps({"type": "apply_complete", "hook": hook}).encode(), "last-apply.jsonl")
    clay.run(steps.destroy)
    assert (
        clay.given()["LEFTOVERS"]
        == "terraform_data.gone was made with id=i-7, and the state does not know it"
    )
    said = clay.given()["LEFTOVERS"]
    clay.run(steps.destroy)
    assert clay.given()["LEFTOVERS"] == said  # there is nothing that could find it gone
    clay.run(steps.destroy, RIGGER_GONE=said)
    clay.run(steps.destroy, RIGGER_GONE="")
    assert clay.given() == {}


@pytest.mark.slow
def test_a_state_that_terraform_could_not_save_is_saved_later(clay, states):
    clay.create(**states.settings)
    states.server.broken = range(states.server.posts + 1, 99)
    with pytest.raises(StepFailed):
        clay.create(NODES="3")
    assert len(instances(clay.state("errored.tfstate"))) == 3
    states.server.broken = ()
    clay.create()
    assert "could not save its state; it is saved now" in clay.text
    assert len(instances(states.state())) == 3 and not os.path.exists(clay.file("errored.tfstate"))


# A backend that a team shares


@pytest.mark.slow
def test_a_shared_state_that_is_older_or_gone_is_refused(clay, states):
    clay.create(**states.settings)
    state = states.state()
    states.server.states["/pots"] = json.dumps({**state, "serial": 0}).encode()
    with pytest.raises(Refused, match="http backend has serial 0"):
        clay.create()
    states.server.states.clear()
    with pytest.raises(
        Refused, match="The state in the http backend is of another lineage|There is no state"
    ):
        clay.run(steps.destroy)
