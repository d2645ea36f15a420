"""What a vars file has lost, taken from the record."""

import os
import shutil

import pytest
from helpers.run_records import log_event
from helpers.without_terminal import configured

from rigger.audit.events import RunStarted, StepStarted
from rigger.errors import InvalidConfig
from rigger.operations.consent import Consent
from rigger.operations.destroy import destroy
from rigger.operations.provision import provision
from rigger.operations.recover import missing_from_vars
from rigger.operations.save import save


def without(environment, *names) -> dict[str, str]:
    return {name: value for name, value in environment.vars().items() if name not in names}


@pytest.fixture
def stood(cluster):
    environment = configured(cluster, COLOUR="red", TOKEN="a-secret-token")
    provision(environment)
    return environment


def test_a_whole_file_lacks_nothing(stood):
    assert missing_from_vars(stood, stood.vars()) == {}


def test_a_cluster_that_is_no_more_is_not_known(stood):
    destroy(stood, consent=Consent(yes=True))
    assert missing_from_vars(stood, {}) == {}


def test_before_the_first_run_nothing_is_known(wood):
    assert missing_from_vars(wood, {}) == {}


def test_the_id_comes_back_alone(stood):
    assert missing_from_vars(stood, without(stood, "TREE_ID")) == {"TREE_ID": stood.vars()["TREE_ID"]}
    assert missing_from_vars(stood, without(stood, "COLOUR")) == {}, "somebody may have taken that out"


@pytest.mark.parametrize("lost", ["PROVIDER", "PLATFORM"])
def test_with_a_module_all_answers_come_back_but_for_secrets(stood, lost):
    found = missing_from_vars(stood, without(stood, lost, "COLOUR", "TREE_ID"))
    assert found[lost] == stood.vars()[lost] and found["COLOUR"] == "red"
    assert found["TREE_ID"] == stood.vars()["TREE_ID"] and "TOKEN" not in found


def test_all_comes_back_from_nothing(stood):
    found = missing_from_vars(stood, {})
    assert {name: found[name] for name in ("PROVIDER", "PLATFORM", "COLOUR", "TREE_ID")} == {
        "PROVIDER": "soil",
        "PLATFORM": "tree",
        "COLOUR": "red",
        "TREE_ID": stood.vars()["TREE_ID"],
    }


def test_what_is_there_is_not_replaced(stood):
    found = missing_from_vars(stood, {"COLOUR": "blue"})
    assert "COLOUR" not in found and found["PROVIDER"] == "soil"


def test_another_module_is_not_mixed_with_the_record(stood, modules):
    modules.write("provider", "sand")
    with pytest.raises(InvalidConfig, match='was made with PROVIDER="soil"'):
        missing_from_vars(stood, {"PROVIDER": "sand"})


def test_a_module_that_lay_elsewhere_is_the_copy_that_came_in_a_bundle(cluster, tmp_path):
    folder = str(tmp_path / "own" / "tree")
    shutil.copytree(cluster.folders["platform"], folder)
    wood = configured(cluster, PLATFORM=folder)
    provision(wood)
    assert missing_from_vars(wood, {})["PLATFORM"] == folder
    copy = wood.file("scripts", "platform", "tree")
    shutil.move(folder, copy)
    assert missing_from_vars(wood, {})["PLATFORM"] == copy


def test_an_id_that_an_older_rigger_did_not_record_is_in_the_bundle_of_an_upgrade(wood):
    id = wood.vars()["TREE_ID"]
    made_by_an_older_rigger(wood)
    with pytest.raises(InvalidConfig, match="has no TREE_ID.*recorded nowhere else") as caught:
        missing_from_vars(wood, without(wood, "TREE_ID"))
    assert "ten hex digits" in caught.value.next_step
    os.mkdir(wood.file("saved"))
    save(wood, wood.file("saved", "before.rigger"))
    assert missing_from_vars(wood, without(wood, "TREE_ID")) == {"TREE_ID": id}
    with open(wood.file("saved", "newer.rigger"), "wb") as file:
        file.write(b"not a bundle")
    os.utime(file.name, (2**31, 2**31))
    assert missing_from_vars(wood, without(wood, "TREE_ID")) == {"TREE_ID": id}, "an older one is whole"


def made_by_an_older_rigger(environment) -> None:
    """Record a run and a step of it as they were before the ID was recorded."""
    run = RunStarted(
        command="provision",
        rigger="0.1",
        by="me@here",
        provider="soil",
        platform="tree",
        id="",
        version="1.10.0",
        steps=1,
    )
    step = StepStarted(
        command="provision", number=1, module="provider/soil", step="create", script="create", sha256="0" * 64,
        shared=None, why="", parameters={"PROVIDER": "soil", "PLATFORM": "tree"}, log="runs/r1/01-create.log",
    )  # fmt: skip
    for event in (run, step):
        log_event(environment, event, "r1")
