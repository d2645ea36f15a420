"""One environment's files: values and secrets, each in a file of its own."""

import os

import pytest

from rigger.environments.environment import split_secrets
from rigger.environments.home import Home


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
    environment.save_values(environment.values(), ["TOKEN"], environment.own_folders())
    assert before == (os.stat(environment.vars_file).st_ino, os.stat(environment.secrets_file).st_ino)


def test_a_new_folder_on_path_is_written_though_no_value_is_new(environment):
    folders = [*environment.own_folders(), environment.file("modules")]
    environment.save_values(environment.values(), folders=folders)
    assert environment.own_folders() == folders


def test_split_secrets():
    assert split_secrets({"A": "1", "B": "2"}, ["B", "C"]) == ({"A": "1"}, {"B": "2"})
