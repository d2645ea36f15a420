"""What a shell that works with an environment has."""

import os
import subprocess

import pytest

from rigger.environments.home import Home
from rigger.environments.shell import environments_on_path


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


@pytest.fixture
def wood(home, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return home.create("wood", {"NODES": "3"}, {})


def test_scripts_are_told_where_the_environment_lies(wood, home):
    assert wood.shell.places() == {
        "RIGGER_HOME": home.path,
        "RIGGER_ENVIRONMENT": "wood",
        "RIGGER_ENVIRONMENT_DIR": wood.path,
        "RIGGER_VARS_FILE": wood.vars_file,
        "RIGGER_BIN_DIR": wood.bin_dir,
    }


def test_programs_of_the_environment_come_first(wood):
    assert wood.shell.vars({"B": "1", "A": "1"}) == {
        "A": "1",
        "B": "1",
        "ORIGINAL_PATH": "/usr/bin:/bin",
        "PATH": f"{wood.bin_dir}:/usr/bin:/bin",
        "RIGGER_SHELL_NAMES": "A B",
    }


def test_the_file_has_the_folders_alone(wood):
    assert wood.shell.file({"A": "1"}) == {"A": "1", "PATH": wood.bin_dir}
    assert wood.shell.file({}, ["/a", "/b"]) == {"PATH": "/a:/b"}
    assert wood.store.vars() == {"NODES": "3", "PATH": wood.bin_dir}


def test_a_program_of_the_environment_is_found_by_a_shell_that_sources_its_vars(wood):
    os.makedirs(wood.bin_dir)
    program = os.path.join(wood.bin_dir, "hello")
    with open(program, "w") as file:
        file.write("#!/bin/sh\necho from the environment\n")
    os.chmod(program, 0o755)
    said = subprocess.run(["/bin/sh", "-c", '. "$0"; hello', wood.vars_file], capture_output=True, text=True)
    assert said.stdout == "from the environment\n"


def test_a_shell_that_sourced_another_environment_leaves_that_one(wood, home, monkeypatch):
    other = home.create("copse", {}, {})
    monkeypatch.setenv("PATH", f"{other.bin_dir}:{wood.bin_dir}:/usr/bin:/opt")
    assert wood.shell.original_path() == "/usr/bin:/opt"


def test_a_process_without_a_path_has_the_systems(wood, monkeypatch):
    monkeypatch.delenv("PATH")
    assert wood.shell.original_path() == os.defpath


def test_bytes_on_path_stay(wood, monkeypatch):
    monkeypatch.setitem(os.environb, b"PATH", b"/\xff:/bin")
    assert wood.shell.vars({})["ORIGINAL_PATH"] == "/\udcff:/bin"


def test_the_environments_on_path_are_known(wood, home, monkeypatch):
    monkeypatch.setenv("PATH", f"{home.environments_dir}/copse/bin:{wood.bin_dir}:/bin:{wood.file('x')}")
    assert environments_on_path(home.environments_dir) == ["copse", "wood"]


def test_its_own_folders_stay_and_others_do_not(wood):
    tools = wood.file("modules", "soil", "bin")
    wood.save(wood.vars(), {}, folders=[wood.bin_dir, tools, "/opt/elsewhere", tools])
    assert wood.shell.own_folders() == [wood.bin_dir, tools]


def test_its_bin_is_among_them_though_the_vars_lost_it_or_are_of_an_older_rigger(wood):
    with open(wood.vars_file, "w") as file:
        file.write(f'export ORIGINAL_PATH=":/bin"\nexport PATH="{wood.file("tools")}:/bin"\n')
    assert wood.shell.own_folders() == [wood.bin_dir, wood.file("tools")]


def test_a_folder_is_its_own_where_it_really_lies(wood, tmp_path):
    os.symlink(tmp_path, wood.file("out"))
    os.symlink(wood.path, tmp_path / "in")
    owns = wood.shell.owns
    assert owns(wood.bin_dir) and owns(str(tmp_path / "in" / "bin"))
    assert not owns(wood.path) and not owns(wood.file("out", "bin")) and not owns(wood.file("..", "copse"))
    assert not owns(f"{wood.path}er/bin") and not owns("bin")
