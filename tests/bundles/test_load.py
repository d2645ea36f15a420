"""A bundle on its way to an environment: which one it becomes, whose scripts run, who opens its secrets."""

import json
import os
import shutil
from contextlib import contextmanager

import pytest
from helpers.environments_to_save import TOKEN
from helpers.run_records import copy_log, log_event

from rigger.audit.secrets import secret_digest
from rigger.bundles.differences import differences
from rigger.bundles.load import loading
from rigger.environments.home import Home
from rigger.errors import BadUsage, Locked, Refused
from rigger.modules.model import Module


@pytest.fixture
def elsewhere(tmp_path):
    """The home of a machine that has not seen the environment."""
    return Home(str(tmp_path / "elsewhere"))


@pytest.fixture
def load(wood, tmp_path):
    """Save the environment and load it into a home; what was to be agreed to is in `load.asked`."""

    @contextmanager
    def open_bundle(home, name=None, agree=True, older=False, open_sealed=lambda data: data, **how):
        def answer(names, hashes, others):
            open_bundle.asked.append((names, [name for _, name in hashes], others))
            if not agree:
                raise BadUsage("Nobody agreed.")

        path = str(tmp_path / f"{os.urandom(4).hex()}.rigger")
        wood.save(path, **how)
        with loading(
            path, home, name, key=None, allow_older=older, open_sealed=open_sealed, agree=answer
        ) as loaded:
            yield loaded

    open_bundle.asked = []
    return open_bundle


def strange(wood):
    """Let the modules be ones that the machine does not have."""
    shutil.rmtree(wood.config.provider.folder)


def put(loaded):
    loaded.put_in_place(loaded.vars(), loaded.secrets)


# Which environment it becomes


def test_a_new_one_under_its_own_name_or_another(load, elsewhere):
    with load(elsewhere) as loaded:
        assert loaded.target.name == "wood" and not loaded.update and differences(loaded) == []
        assert elsewhere.names() == []
        put(loaded)
    with load(Home(elsewhere.path + "-2"), "pine") as loaded:
        put(loaded)
    assert (elsewhere.names(), Home(elsewhere.path + "-2").names()) == (["wood"], ["pine"])


def test_what_is_not_put_in_place_is_gone(load, elsewhere):
    with load(elsewhere):
        pass
    assert os.listdir(elsewhere.environments_dir) == []


def test_the_one_of_the_same_id_whatever_its_name(load, elsewhere, wood):
    with load(elsewhere, "pine") as loaded:
        put(loaded)
    with load(elsewhere) as loaded:
        assert loaded.target.name == "pine" and loaded.update
        assert differences(loaded) == ["audit log: 1 records, the same as here"]
    wood.environment.save({**wood.environment.vars(), "NODES": "5"}, {"TOKEN": TOKEN})
    wood.happens()
    with load(elsewhere) as loaded:
        assert differences(loaded) == ["NODES: 1 -> 5", "audit log: 1 records -> 2"]
    with pytest.raises(BadUsage) as problem, load(elsewhere, "oak"):
        pass
    assert "is the environment pine, which is here already; it cannot be oak too." in problem.value.message
    assert "rigger forget pine" in problem.value.next_step


def test_a_name_that_another_cluster_has(load, elsewhere):
    elsewhere.create("wood", {"TREE_ID": "abcdefabcd"}, {})
    with pytest.raises(BadUsage) as problem, load(elsewhere):
        pass
    assert problem.value.message.startswith("wood is another cluster than the one in ")
    assert problem.value.next_step == "Give this one a name with --name NAME."


def test_an_older_one_only_for_whoever_means_it(load, wood, elsewhere):
    before = copy_log(wood.environment.path, wood.environment.path + "-log")
    wood.happens()
    with load(elsewhere) as loaded:
        put(loaded)
    copy_log(before, wood.environment.path)
    with pytest.raises(Refused, match="is older"), load(elsewhere):
        pass
    with load(elsewhere, older=True) as loaded:
        put(loaded)
    assert elsewhere.at("wood").audit.records()[0]["event"] == "configured"


def test_one_that_changes_meanwhile_is_left_alone(load, elsewhere):
    with load(elsewhere) as loaded:
        put(loaded)
    with load(elsewhere) as loaded:
        log_event(elsewhere.at("wood"), "something-else")
        with pytest.raises(Locked, match="wood was changed meanwhile"):
            put(loaded)
    assert elsewhere.at("wood").audit.records()[-1]["event"] == "something-else"


def test_the_load_is_recorded_with_digests_of_this_machine(load, elsewhere, wood):
    with load(elsewhere) as loaded:
        loaded.put_in_place(loaded.vars(), {"TOKEN": TOKEN})
    here = elsewhere.at("wood")
    record = here.audit.records()[-1]
    assert (record["event"], record["serial"], record["signer"]) == ("loaded", 1, "")
    assert record["digests"] == {"TOKEN": secret_digest(here.key(), TOKEN)}
    assert here.key() != wood.environment.key() and here.audit.verify().ok


# Whose scripts run


def test_modules_of_this_machine_are_used_and_nobody_is_asked(load, elsewhere, wood):
    with load(elsewhere) as loaded:
        assert loaded.module("provider") == "soil"
        assert loaded.strangers() == [] and loaded.unlike([*wood.config.modules]) == []
    assert load.asked == []


def test_modules_that_differ_from_those_of_the_bundle_are_named(load, elsewhere, wood, modules):
    with load(elsewhere) as loaded:
        modules.script(wood.config.provider.folder, "create", "echo otherwise\n")
        assert loaded.unlike([*wood.config.modules]) == ["soil"]


def test_a_stranger_is_agreed_to_file_by_file_and_once(load, elsewhere, wood, tmp_path):
    saved = str(tmp_path / "saved.rigger")
    wood.save(saved)
    strange(wood)

    def open_it(agree):
        return loading(
            saved, elsewhere, None, key=None, allow_older=False, open_sealed=lambda data: data, agree=agree
        )

    asked = []
    with open_it(lambda *what: asked.append(what)) as loaded:
        assert loaded.strangers() == ["provider"]
        assert loaded.module("provider") == loaded.opened.file("scripts", "provider", "soil")
        put(loaded)
    [(names, hashes, others)] = asked
    assert (names, others) == (["soil"], []) and "provider/soil/create" in [name for _, name in hashes]
    assert elsewhere.at("wood").vars()["PROVIDER"] == elsewhere.at("wood").file("scripts", "provider", "soil")
    with open_it(lambda *what: asked.append(what)):
        assert len(asked) == 1


def test_programs_among_the_state_are_agreed_to_as_well(load, elsewhere, wood):
    wood.write("modules/soil/tool", "#!/bin/sh\n", 0o700)
    with pytest.raises(BadUsage, match="Nobody agreed"), load(elsewhere, agree=False):
        pass
    assert load.asked == [([], ["modules/soil/tool"], [])] and elsewhere.names() == []


def test_modules_that_are_not_those_of_the_bundle_are_refused(load, elsewhere, wood):
    provider, platform = wood.config.modules
    with load(elsewhere) as loaded:
        loaded.require_platform(provider, platform)
        other = Module("tree", "platform", platform.folder, prefix="BUSH")
        with pytest.raises(Refused, match="its vars name tree on soil"):
            loaded.require_platform(provider, other)


# Who opens its secrets


def backwards(data):
    """Encrypt for readers in a hurry; tests/bundles/test_seal.py does it in earnest."""
    return data[::-1]


def test_secrets_of_the_encrypted_part_and_the_key_of_their_digests(load, elsewhere, wood):
    wood.write("modules/soil/config", f"token = {TOKEN}\n")
    with load(elsewhere, encrypt=backwards, open_sealed=backwards) as loaded:
        assert loaded.secrets == {"TOKEN": TOKEN} and loaded.left_behind() == loaded.lost() == []
        assert TOKEN not in repr(loaded)
        put(loaded)
    here = elsewhere.at("wood")
    assert here.key() == wood.environment.key() and here.secrets() == {"TOKEN": TOKEN}
    with open(here.file("modules", "soil", "config")) as file:
        assert file.read() == f"token = {TOKEN}\n"


def test_what_was_left_out_is_missed_until_it_is_here(load, elsewhere, wood):
    wood.write("modules/soil/config", f"token = {TOKEN}\n")
    with load(elsewhere) as loaded:
        assert (loaded.left_behind(), loaded.lost()) == (["TOKEN"], ["modules/soil/config"])
        loaded.put_in_place(loaded.vars(), {"TOKEN": TOKEN})
    with load(elsewhere) as loaded:
        assert (loaded.left_behind(), loaded.lost()) == ([], ["modules/soil/config"])
    with load(wood.home) as loaded:
        assert (loaded.left_behind(), loaded.lost()) == ([], [])


GOOD = {"secrets": {}, "key": "00" * 32, "files": {}}


@pytest.mark.parametrize(
    "sealed",
    [
        b"",
        b"[" * 100_000,
        b"[]",
        b"7",
        json.dumps({**GOOD, "key": "00"}).encode(),
        json.dumps({**GOOD, "key": 7}).encode(),
        json.dumps({**GOOD, "secrets": {"a b": "x"}}).encode(),
        json.dumps({**GOOD, "secrets": {"TOKEN": 7}}).encode(),
        json.dumps({**GOOD, "secrets": {"TOKEN": "x\0"}}).encode(),
        json.dumps({**GOOD, "files": {"modules/soil/x": {"data": "?", "mode": 384}}}).encode(),
        json.dumps({**GOOD, "files": {"modules/soil/x": {"data": ""}}}).encode(),
        json.dumps({"secrets": {}, "key": "00" * 32}).encode(),
    ],
    ids=range(12),
)
def test_an_encrypted_part_that_rigger_did_not_write_is_refused(load, elsewhere, sealed):
    with pytest.raises(Refused) as problem:
        with load(elsewhere, encrypt=lambda data: b"sealed", open_sealed=lambda data: sealed):
            pass
    assert problem.value.message.endswith(" is not what rigger writes.")
    assert os.listdir(elsewhere.environments_dir) == []
