"""The modules of a role, and new ones, from Python."""

import os
import shutil
import subprocess

import pytest

from rigger.environments.home import Home
from rigger.errors import BadUsage, InvalidConfig
from rigger.operations.modules import modules as modules_of
from rigger.operations.modules import new


@pytest.fixture
def home(cluster):
    return Home(cluster.rigger.home)


def row(home, role, name, **more) -> dict:
    return next(row for row in modules_of(home, role, **more).as_dict()["modules"] if row["name"] == name)


def test_those_of_the_variable_and_rigger_s_own(home, cluster):
    soil = row(home, "provider", "soil")
    assert soil["folder"] == cluster.folders["provider"] and soil["from"] == "$RIGGER_PROVIDER_PATH"
    assert (soil["interface"], soil["problem"], soil["shadowed"]) == (2, "", False)
    assert row(home, "provider", "noop")["from"] == "rigger itself"
    assert {row["name"] for row in modules_of(home, "platform").as_dict()["modules"]} >= {"tree", "noop"}
    assert not [row for row in modules_of(home, "platform").as_dict()["modules"] if row["name"] == "soil"]


def test_one_that_is_hidden_and_one_that_is_broken_are_listed_too(home, modules):
    modules.write("provider", "noop")
    folder = modules.write("provider", "sand")
    with open(os.path.join(folder, "rigger.yml"), "a") as file:
        file.write("colour: red\n")
    noop = [row for row in modules_of(home, "provider").as_dict()["modules"] if row["name"] == "noop"]
    assert [(row["from"], row["shadowed"]) for row in noop] == [
        ("$RIGGER_PROVIDER_PATH", False),
        ("rigger itself", True),
    ]
    assert "colour" in row(home, "provider", "sand")["problem"]


def test_those_of_an_environments_checkout_come_first(home, wood, cluster):
    assert modules_of(home, "provider").checkout is None
    mine = wood.file("checkout", "contrib", "soil")
    shutil.copytree(cluster.folders["provider"], mine)
    found = modules_of(home, "provider")
    assert found.checkout == wood.file("checkout") and found.as_dict()["modules"][0]["folder"] == mine
    folder = os.path.join(home.path, "own")
    shutil.move(wood.file("checkout"), folder)
    wood.save_values({**wood.values(), "CHECKOUT": folder})
    assert modules_of(home, "provider", "wood").checkout == folder


def test_an_environment_may_be_broken_but_not_unknown(home, wood):
    os.mkdir(wood.file("checkout"))
    with open(wood.vars_file, "w") as file:
        file.write('export X="\n')
    assert modules_of(home, "provider").checkout == wood.file("checkout")
    with pytest.raises(InvalidConfig, match="no environment named 'grove'"):
        modules_of(home, "provider", "grove")


# New ones


@pytest.mark.parametrize("role", ["provider", "platform"])
def test_a_new_one_is_written_and_found(home, role, monkeypatch, tmp_path):
    folder = str(tmp_path / "mine" / "hello")
    made = new(role, "hello", folder)
    assert made.as_dict() == {"name": "hello", "role": role, "folder": folder} and made.repository == ""
    monkeypatch.setenv(f"RIGGER_{role.upper()}_PATH", os.path.dirname(folder))
    assert row(home, role, "hello")["problem"] == ""


def test_without_a_folder_it_lies_here(cluster, tmp_path):
    assert os.path.realpath(new("provider", "hello").module.folder) == str(tmp_path / "hello")


def test_one_within_a_repository_knows_it(cluster, tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path / "repository"], check=True)
    made = new("provider", "hello", str(tmp_path / "repository" / "contrib" / "hello"))
    assert os.path.realpath(made.repository) == str(tmp_path / "repository")


def test_nothing_is_written_over_and_a_name_is_one(cluster, tmp_path):
    os.mkdir(tmp_path / "hello")
    (tmp_path / "hello" / "mine").write_text("mine")
    with pytest.raises(BadUsage, match="hello"):
        new("provider", "hello")
    with pytest.raises(BadUsage, match="../up"):
        new("provider", "../up")
    assert os.listdir(tmp_path / "hello") == ["mine"]
