"""Is this still the cluster that was made?"""

import os
import re

import pytest
from helpers.run_records import log_event

from rigger.configuration.identity import (
    id_of,
    identity,
    require_modules_named,
    require_recorded,
    require_same_cluster,
    require_same_modules,
)
from rigger.configuration.resolve import resolve
from rigger.errors import BadUsage, InvalidConfig
from rigger.modules.interface1 import Interface1
from rigger.modules.model import Module

TREE = Module("tree", "platform", "/tree", prefix="OAK")
ANSWERS = {"PROVIDER": "soil", "PLATFORM": "tree", "VERSION": "1.10.0"}


@pytest.fixture
def wood(environment):
    return environment(OAK_ID="0123456789")


@pytest.fixture
def made(wood):
    """The same after a first step."""
    log_event(wood, "run-started", "r", id="0123456789", platform="tree", provider="soil")
    log_event(wood, "step-started", "r", step="create", command="provision", parameters=ANSWERS)
    return wood


# The id


def test_an_id_is_made_once():
    made = identity({}, TREE)["OAK_ID"]
    assert re.fullmatch("[0-9a-f]{10}", made) and identity({}, TREE)["OAK_ID"] != made
    assert identity({"OAK_ID": made}, TREE) == {"OAK_ID": made}


def test_version_and_root_go_with_the_id():
    found = identity({"OAK_ID": "0123456789", "VERSION": "1.9.0"}, TREE, "/srv/oak")
    assert found == {"OAK_ID": "0123456789", "OAK_VERSION": "1.9.0", "OAK_ROOT": "/srv/oak"}


def test_an_id_that_the_vars_lost_is_in_the_record(made):
    assert id_of(made, "OAK_ID") == "0123456789"
    made.save({"PROVIDER": "soil"}, {})
    assert id_of(made, "OAK_ID") == "0123456789"


def test_an_id_that_nobody_knows(wood):
    assert id_of(wood, "ELM_ID") == ""


# The modules


def test_before_anything_is_made_all_may_change(wood):
    require_same_modules(wood, ANSWERS, {**ANSWERS, "PROVIDER": "aws", "PLATFORM": "etcd"})


@pytest.mark.parametrize(("name", "value"), [("PROVIDER", "aws"), ("PLATFORM", "etcd"), ("PLATFORM", "")])
def test_a_cluster_keeps_its_modules(made, name, value):
    require_same_modules(made, ANSWERS, {**ANSWERS, "VERSION": "1.9.0"})
    with pytest.raises(BadUsage) as refused:
        require_same_modules(made, ANSWERS, {**ANSWERS, name: value})
    assert (
        refused.value.message
        == f"wood was made with {name}={ANSWERS[name]}, which cannot change while it exists."
    )
    assert "rigger destroy" in refused.value.next_step


def test_the_way_back_to_the_module_that_it_was_made_with_is_open(made):
    require_same_modules(made, {**ANSWERS, "PROVIDER": "aws"}, ANSWERS)


def test_a_machine_alone_is_a_cluster_too(wood):
    log_event(wood, "configured")
    with open(wood.inventory_file, "w") as file:
        file.write('[{"name": "node-1", "address": "10.0.0.1"}]\n')
    with pytest.raises(BadUsage, match="was made with PROVIDER=soil"):
        require_same_modules(wood, ANSWERS, {**ANSWERS, "PROVIDER": "aws"})


def test_another_id_would_be_another_cluster(made):
    with pytest.raises(InvalidConfig) as refused:
        require_same_cluster(made, {"OAK_ID": "another"}, None, TREE)
    assert refused.value.message == (
        f'{made.vars_file} says OAK_ID="another", but wood exists and was made with OAK_ID="0123456789".'
    )
    assert "export OAK_ID=" in refused.value.next_step and "0123456789" in refused.value.next_step


def test_another_cluster_may_be_meant_once_it_is_destroyed(made):
    log_event(made, "destroyed")
    require_same_cluster(made, {"OAK_ID": "another"}, None, TREE)


def test_a_module_is_known_by_its_name_wherever_it_lies(made):
    moved = Module("soil", "provider", "/elsewhere/soil")
    require_same_cluster(made, {"PROVIDER": "/elsewhere/soil"}, moved, TREE)
    other = Module("sand", "provider", "/soil")
    with pytest.raises(InvalidConfig, match='says PROVIDER="/soil", but wood exists .* PROVIDER="soil"'):
        require_same_cluster(made, {"PROVIDER": "/soil"}, other, TREE)


def test_vars_without_the_id_find_no_machines(made):
    require_recorded(made, resolve(made))
    made.save({name: value for name, value in made.vars().items() if name != "OAK_ID"}, {})
    with pytest.raises(InvalidConfig, match="does not say OAK_ID, but wood exists"):
        require_recorded(made, resolve(made))


def test_an_environment_that_is_not_made_needs_an_id_too(wood):
    wood.save(ANSWERS, {})
    with pytest.raises(
        InvalidConfig, match="has no OAK_ID, by which the machines of wood are found"
    ) as refused:
        require_recorded(wood, resolve(wood))
    assert refused.value.next_step == 'Type "rigger configure --name wood" to have one.'


# A vars file that does not name them


def test_what_is_missing_is_named_and_where_it_is_known(made):
    require_modules_named(made, ANSWERS)
    with pytest.raises(InvalidConfig) as refused:
        require_modules_named(made, {"PLATFORM": "tree", "PROVIDER": ""})
    assert refused.value.message == (
        f"{made.vars_file} does not say which PROVIDER, but wood has a record of a cluster."
    )
    assert refused.value.next_step.endswith("which takes what is missing from that record: PROVIDER=soil.")


def test_a_vars_file_that_is_gone(made):
    os.unlink(made.vars_file)
    with pytest.raises(InvalidConfig, match="wood has a record, but no vars file") as refused:
        require_modules_named(made, {})
    assert refused.value.next_step.endswith(": PLATFORM=tree, PROVIDER=soil.")


def test_without_a_record_there_is_only_configure(wood):
    with pytest.raises(InvalidConfig, match="does not say which PLATFORM and which PROVIDER.$") as refused:
        require_modules_named(wood, {})
    assert refused.value.next_step == 'Type "rigger configure --name wood".'


def test_a_record_of_an_older_rigger_has_no_id_to_compare(wood):
    log_event(wood, "step-started", "r", step="create", command="provision", parameters=ANSWERS)
    require_same_cluster(wood, {"OAK_ID": "another"}, None, TREE)


def test_the_same_module_of_another_interface_is_refused_with_the_reason(wood, tmp_path):
    about = {"origin": "folder", "interface": "1", "version": "", "sha256": ""}
    log_event(wood, "run-started", "r", id="0123456789", platform="tree", provider="soil", provider_is=about)
    log_event(wood, "step-started", "r", step="create", command="provision", parameters=ANSWERS)
    vars = {**ANSWERS, "OAK_ID": "0123456789"}
    soil = Module("soil", "provider", str(tmp_path))
    with pytest.raises(InvalidConfig) as refused:
        require_same_cluster(wood, vars, soil, None)
    assert f"of interface 1, and {tmp_path} is of interface 2 now" in refused.value.message
    assert refused.value.next_step.startswith("Put it back into its folder, and destroy")
    require_same_cluster(wood, vars, Module("soil", "provider", str(tmp_path), contract=Interface1()), None)
