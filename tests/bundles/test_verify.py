"""Is a saved environment whole, and newer than what is here?"""

import os
import shutil

import pytest
from helpers.run_records import copy_log, log_event
from helpers.second_machine import forge

from rigger.audit.events import Loaded
from rigger.bundles.unpack import unpacked
from rigger.bundles.verify import require_newer, worth_keeping
from rigger.environments.home import Home
from rigger.errors import Refused

ID = b"TREE_ID"


@pytest.fixture
def refused(wood, tmp_path):
    """Return why a bundle with other fields or files is refused."""

    def ask(change_fields=None, change_files=None):
        saved = wood.save(tmp_path / "good.rigger")
        path = forge(saved.path, str(tmp_path / "forged.rigger"), change_fields, change_files)
        home = Home(str(tmp_path / "elsewhere"))
        with pytest.raises(Refused) as problem, unpacked(path, home):
            pass
        assert os.listdir(home.environments_dir) == []
        assert problem.value.next_step == "Get it again from whoever made it."
        assert path in problem.value.message
        os.unlink(saved.path)
        return problem.value.message.replace(path, "PATH")

    return ask


def test_a_field_that_rigger_does_not_write(refused):
    said = refused({"prefix": "tree"})
    assert said == "The bundle PATH does not describe an environment: its manifest has no usable prefix."


def test_members_that_do_not_belong_there_and_one_that_must(refused):
    said = refused(change_files={"lock": b""})
    assert said == "The bundle PATH does not describe an environment: 'lock' has no place in it."
    assert "it has no vars" in refused(change_files={"vars": None})


def test_vars_of_another_environment(refused, wood):
    other = b"TREE_ID='abcdefabcd'\n"
    assert refused(change_files={"vars": other}) == "The vars in PATH are not those of 0123456789."


@pytest.mark.parametrize("provider", [b"", b"PROVIDER=''\n", b"PROVIDER='../soil'\n"])
def test_modules_that_cannot_be_found(refused, provider):
    vars = b"TREE_ID='0123456789'\nPLATFORM='tree'\n" + provider
    assert refused(change_files={"vars": vars}) == "The vars in PATH have no PROVIDER that could be found."


def test_a_log_that_is_not_the_one_of_its_head(refused, wood):
    count, head = wood.environment.audit.head()
    said = refused({"serial": count + 1, "audit": {"count": count + 1, "head": head}})
    assert said.startswith("The audit log in PATH is not what was written: ")
    said = refused({"audit": {"count": count, "head": "0" * 64}})
    assert said.startswith("The audit log in PATH is not what was written: ")
    wood.happens()
    said = refused({"serial": count, "audit": {"count": count, "head": head}})
    assert said.endswith("it has 2 records, not 1.")


def test_an_inventory_that_cannot_be_read_is_named_without_where_it_lay(refused):
    said = refused(change_files={"inventory.json": b"[7]"})
    assert said.startswith("The bundle PATH was refused: inventory.json") and ".load-" not in said


# Which is the newer?


def came_back(wood):
    log_event(wood.environment, Loaded(file="b.rigger", serial=1, signer="", digests={}))


def test_records_of_loads_at_the_end_are_not_worth_keeping(wood):
    came_back(wood)
    wood.happens()
    records = wood.environment.audit.records()
    came_back(wood)
    came_back(wood)
    assert worth_keeping(wood.environment.audit.records()) == records
    assert worth_keeping([]) == []


def test_the_same_and_a_newer_one_are_taken(wood, tmp_path):
    here = shutil.copytree(wood.environment.path, tmp_path / "here")
    known = wood.home.at("wood")
    with wood.opened(tmp_path) as bundle:
        require_newer(bundle, known)
        came_back(wood)
        require_newer(bundle, known)
    copy_log(here, wood.environment.path)
    before = wood.home.at("wood")
    wood.happens()
    with wood.opened(tmp_path) as bundle:
        copy_log(here, wood.environment.path)
        require_newer(bundle, before)


def test_an_older_one_is_refused(wood, tmp_path):
    with wood.opened(tmp_path) as bundle:
        wood.happens()
        with pytest.raises(Refused) as problem:
            require_newer(bundle, wood.home.at("wood"))
    assert problem.value.message == (
        f"{bundle.path} is older (serial 1) than what is here of wood (serial 2)."
    )
    assert "--allow-older" in problem.value.next_step


def test_one_that_went_another_way_is_refused(wood, tmp_path):
    before = copy_log(wood.environment.path, tmp_path / "before")
    wood.happens()
    with wood.opened(tmp_path) as bundle:
        copy_log(before, wood.environment.path)
        log_event(wood.environment, "something-else")
        with pytest.raises(Refused, match="have gone different ways since they were one") as problem:
            require_newer(bundle, wood.home.at("wood"))
    assert "--allow-older" in problem.value.next_step
