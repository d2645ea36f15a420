"""What exists and what it needs, in the words of one value."""

import json

import pytest
from helpers.without_terminal import configured

from rigger.errors import InvalidConfig, StepFailed
from rigger.operations.check import check
from rigger.operations.consent import Consent
from rigger.operations.destroy import destroy
from rigger.operations.provision import provision
from rigger.operations.status import status
from rigger.operations.suspend import resume, suspend
from rigger.operations.upgrade import upgrade
from rigger.operations.upgrade_request import UpgradeOptions
from rigger.operations.values import set_values

YES = Consent(yes=True)


def word(environment) -> str:
    return status(environment).state


def test_what_was_configured_alone(wood):
    found = status(wood)
    assert (found.name, found.platform, found.provider, found.state) == ("wood", "tree", "soil", "configured")
    assert found.deployed_version == found.since == "" and found.nodes == found.pending == ()
    assert found.last_run is None and found.upgrade is None and found.problem == found.running == ""
    assert found.id == wood.vars()["TREE_ID"]


def test_the_word_follows_the_life_of_a_cluster(trees):
    wood = configured(trees, VERSION="1.9.0")
    trees.script("platform", "deploy", "exit 3")
    with pytest.raises(StepFailed):
        provision(wood)
    assert word(wood) == "unfinished"
    trees.script("platform", "deploy")
    provision(wood)
    assert word(wood) == "deployed"
    trees.script("platform", "check", "exit 1")
    with pytest.raises(StepFailed):
        check(wood)
    assert word(wood) == "unwell" and status(wood).failed_checks == ("platform",)
    trees.script("platform", "check")
    check(wood)
    assert word(wood) == "deployed"
    destroy(wood, consent=YES)
    found = status(wood)
    assert found.state == "destroyed" and found.deployed_version == found.since == "" and found.pending == ()


def test_a_destroy_that_failed_is_unfinished_and_not_destroyed(wood, cluster):
    provision(wood)
    cluster.script("provider", "destroy", "exit 3")
    with pytest.raises(StepFailed):
        destroy(wood, consent=YES)
    assert word(wood) == "unfinished"


def test_a_suspended_cluster_is_half_that_while_it_did_not_end(trees):
    wood = configured(trees, VERSION="1.9.0")
    provision(wood)
    trees.script("provider", "resume")
    trees.script("provider", "suspend", "exit 3")
    with pytest.raises(StepFailed):
        suspend(wood, consent=YES)
    assert word(wood) == "half-suspended"
    trees.script("provider", "suspend")
    suspend(wood, consent=YES)
    assert word(wood) == "suspended"
    resume(wood)
    assert word(wood) == "deployed"


def test_what_is_deployed_and_what_is_configured_since(wood):
    provision(wood)
    set_values(wood, {"VERSION": "1.9.0", "COLOUR": "red", "COMMENT": "of no consequence"})
    found = status(wood)
    assert (found.version, found.deployed_version) == ("1.9.0", "1.10.0")
    assert {"VERSION", "COLOUR"} <= {*found.pending} and "COMMENT" not in found.pending
    assert found.pending == tuple(sorted(found.pending))
    assert found.since == status(wood).since != ""


def test_an_upgrade_that_is_on_its_way(trees):
    wood = configured(trees, VERSION="1.9.0")
    provision(wood)
    trees.script("platform", "upgrade-graceful", "exit 3")
    with pytest.raises(StepFailed):
        upgrade(wood, UpgradeOptions("1.10.0", "graceful"))
    wanted = {"from": "1.9.0", "to": "1.10.0", "style": "graceful", "rollback": False}
    assert status(wood).as_dict()["upgrade"] == wanted


def test_the_report_is_what_json_can_hold(wood):
    provision(wood)
    report = status(wood).as_dict()
    assert json.loads(json.dumps(report)) == report
    assert [node["name"] for node in report["nodes"]] == ["node-1", "node-2"]
    last = report["last_run"]
    assert (last["command"], last["outcome"]) == ("provision", "done")
    assert last["steps"][1] == {"module": "provider/soil", "step": "create", "exit_code": 0}


def test_vars_of_another_cluster_are_a_problem_and_not_an_error(wood):
    provision(wood)
    assert status(wood).problem == ""
    before = wood.vars()["TREE_ID"]
    wood.save_values({**wood.values(), "TREE_ID": "0123456789"})
    said = status(wood).problem
    assert 'says TREE_ID="0123456789", but wood exists' in said
    assert f"Put the line back into {wood.vars_file}" in said and before in said


def test_who_works_there_now(wood):
    provision(wood)
    with wood.locked("rigger check"):
        assert "rigger check" in status(wood).running
    assert status(wood).running == "" and word(wood) == "deployed"


def test_files_that_cannot_be_read_are_an_error(wood):
    with open(wood.vars_file, "a") as file:
        file.write('export COLOUR="red\n')
    with pytest.raises(InvalidConfig, match=wood.vars_file):
        status(wood)
