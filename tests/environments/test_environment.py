"""One environment: a small face on its store, its lock, its shell and its backups."""

import inspect
import os

import pytest

from rigger.environments.environment import Environment, split_secrets
from rigger.environments.home import Home
from rigger.environments.store import FolderStore


class Remembered(FolderStore):
    """A store that keeps its values elsewhere than in files."""

    def __init__(self, path):
        super().__init__(path)
        self.kept = ({}, {})

    def vars(self):
        return dict(self.kept[0])

    def secrets(self):
        return dict(self.kept[1])

    def write(self, vars, secrets):
        self.kept = dict(vars), dict(secrets)


def test_values_lie_where_the_store_says(tmp_path):
    environment = Environment("demo", str(tmp_path / "demo"), str(tmp_path), store=Remembered(str(tmp_path)))
    environment.save({"NODES": "3"}, {"TOKEN": "secret"})
    assert environment.vars() == {"NODES": "3"} and environment.secrets() == {"TOKEN": "secret"}
    assert environment.store.vars()["PATH"].startswith(environment.bin_dir)
    assert os.listdir(tmp_path) == []


def test_no_class_that_everything_is_hung_on():
    environment = Environment("demo", "/nowhere/demo", "/nowhere")
    for thing in (environment, environment.store, environment.lock, environment.shell, environment.backups):
        methods = [name for name, _ in inspect.getmembers(type(thing), callable) if not name.startswith("_")]
        assert len(methods) <= 12, f"{type(thing).__name__}: {methods}"


# Values and secrets, each in a file of its own


@pytest.fixture
def environment(tmp_path):
    return Home(str(tmp_path / "home")).create(
        "demo", {"PLATFORM": "etcd", "NODES": "3"}, {"TOKEN": "hidden"}
    )


def test_values_are_the_plain_and_the_secret_ones(environment):
    assert environment.values() == {"PLATFORM": "etcd", "NODES": "3", "TOKEN": "hidden"}


def test_a_value_stands_in_one_of_the_two_files(environment):
    environment.save_values({**environment.values(), "NODES": "5", "PASSWORD": "new"}, ["PASSWORD"])
    assert environment.vars() == {"PLATFORM": "etcd", "NODES": "5"}
    assert environment.secrets() == {"TOKEN": "hidden", "PASSWORD": "new"}


def test_what_was_a_secret_stays_one(environment):
    environment.save_values({**environment.values(), "TOKEN": "another"})
    assert environment.secrets() == {"TOKEN": "another"} and "TOKEN" not in environment.vars()


def test_what_becomes_a_secret_leaves_the_vars(environment):
    environment.save_values(environment.values(), ["NODES"])
    assert environment.secrets() == {"TOKEN": "hidden", "NODES": "3"}
    assert environment.vars() == {"PLATFORM": "etcd"}


def test_what_is_left_out_is_gone(environment):
    environment.save_values({"PLATFORM": "etcd"})
    assert environment.vars() == {"PLATFORM": "etcd"} and environment.secrets() == {}


def test_what_is_stored_already_is_not_written_again(environment):
    before = os.stat(environment.vars_file).st_ino, os.stat(environment.secrets_file).st_ino
    environment.save_values(environment.values(), ["TOKEN"], environment.shell.own_folders())
    assert before == (os.stat(environment.vars_file).st_ino, os.stat(environment.secrets_file).st_ino)


def test_a_new_folder_on_path_is_written_though_no_value_is_new(environment):
    folders = [*environment.shell.own_folders(), environment.file("modules")]
    environment.save_values(environment.values(), folders=folders)
    assert environment.shell.own_folders() == folders


def test_split_secrets():
    assert split_secrets({"A": "1", "B": "2"}, ["B", "C"]) == ({"A": "1"}, {"B": "2"})
