"""Where the state of one environment lies: a folder of files."""

import os
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigger.environments import inventory
from rigger.environments.store import KEY_BYTES, FolderStore
from rigger.errors import InvalidConfig

VALUES = st.dictionaries(
    st.from_regex(r"X_[A-Z0-9_]{0,6}", fullmatch=True),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
    max_size=5,
)


@pytest.fixture
def store(tmp_path):
    return FolderStore(str(tmp_path), held=lambda: True)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_an_empty_folder_holds_no_environment(store):
    assert not store.exists()


def test_an_environment_that_lost_its_vars_is_still_one(store):
    store.write({"NODES": "3"}, {})
    assert store.exists()
    os.unlink(store.vars_file)
    assert not store.exists()
    store.audit.append("destroyed")
    assert store.exists()


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES, VALUES)
def test_what_is_written_is_read(store, vars, secrets):
    store.write(vars, secrets)
    assert (store.vars(), store.secrets()) == (vars, secrets)


def test_secrets_lie_apart_and_are_for_their_owner_alone(store):
    store.write({"NODES": "3"}, {"TOKEN": "hush"})
    with open(store.vars_file) as file:
        assert "hush" not in file.read()
    assert mode(store.secrets_file) == 0o600


def test_no_file_of_secrets_is_made_for_none_but_one_that_is_there_is_emptied(store):
    store.write({"NODES": "3"}, {})
    assert not os.path.exists(store.secrets_file)
    store.write({}, {"TOKEN": "hush"})
    store.write({}, {})
    with open(store.secrets_file) as file:
        assert "TOKEN" not in file.read()
    assert store.secrets() == {}


def test_vars_may_have_another_name(tmp_path):
    store = FolderStore(str(tmp_path), "wood.vars")
    store.write({"NODES": "3"}, {})
    assert os.listdir(tmp_path) == ["wood.vars"] and store.exists()


def test_nothing_is_read_from_damaged_files(store):
    for path in (store.vars_file, store.secrets_file):
        with open(path, "w") as file:
            file.write("export NODES=$(touch pwned)\n")
    for read, path in ((store.vars, store.vars_file), (store.secrets, store.secrets_file)):
        with pytest.raises(InvalidConfig, match=f"{path}.* line 1"):
            read()
    assert not os.path.exists("pwned")


def test_the_machines_are_those_of_the_inventory(store):
    assert store.nodes() == []
    inventory.write(store.inventory_file, [inventory.Node("node-1", "10.0.0.1")])
    assert [node.name for node in store.nodes()] == ["node-1"]
    with open(store.inventory_file, "w") as file:
        file.write("{")
    with pytest.raises(InvalidConfig, match=store.inventory_file):
        store.nodes()


def test_a_key_is_made_once_for_its_owner_alone(store, tmp_path):
    key = store.key()
    assert len(key) == KEY_BYTES and store.key() == key and FolderStore(str(tmp_path)).key() == key
    assert mode(tmp_path / "key") == 0o600
