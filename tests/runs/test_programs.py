"""Small programs of a module: what they get, what they say, and what becomes of their failure."""

import os
import sys

import pytest

from rigger.configuration.config import Config
from rigger.environments.home import Home
from rigger.environments.inventory import Node
from rigger.errors import BadUsage, NotReady
from rigger.modules.model import Module
from rigger.runs.programs import leaving, run_program

NODES = [Node("node-1", "10.0.0.1"), Node("node-2", "10.0.0.2"), Node("node-3", "10.0.0.3")]


@pytest.fixture
def folder(modules):
    return modules.write("provider", "soil")


@pytest.fixture
def wood(private_home):
    return Home().create("wood", {}, {})


@pytest.fixture
def program(modules, folder):
    """Write a program of the module and run it without an environment."""

    def run(body, *words, environment=None, **values):
        modules.script(folder, "bin__ask", body)
        return run_program(environment, folder, " ".join(["bin/ask", *words]), values)

    return run


def test_a_program_runs_in_its_modules_folder_with_the_values(program, folder):
    said = program('pwd; echo "$1 $2 $NODES $RIGGER_MODULE_DIR"; echo oh >&2; exit 3', "a", "b", NODES="5")
    assert said == (3, f"{folder}\na b 5 {folder}\n", "oh\n")


def test_it_finds_riggers_own_programs_and_python(program, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    code, out, _ = program(
        'command -v rigger-save-vars; echo "$PATH"; echo "$RIGGER_PYTHON $RIGGER_INTERFACE"'
    )
    found, path, words = out.splitlines()
    assert code == 0 and found == os.path.join(path.split(":")[0], "rigger-save-vars")
    assert path.endswith(":/usr/bin:/bin") and words == f"{sys.executable} 2"


def test_bytes_that_are_no_text_come_through(program, monkeypatch):
    monkeypatch.setitem(os.environb, b"CAFE", b"caf\xe9")
    assert program('printf "%s %s" "$CAFE" "$NAME"; printf "\\351" >&2', NAME="\udce9") == (
        0,
        "caf\udce9 \udce9",
        "\udce9",
    )


def test_it_knows_the_environment_where_there_is_one(program, wood, monkeypatch):
    monkeypatch.delenv("RIGGER_HOME", raising=False)
    assert program('echo "${RIGGER_HOME-none}"')[1] == "none\n"
    assert program('echo "${RIGGER_HOME-none}"', environment=wood)[1] == f"{wood.home}\n"


def test_a_program_that_cannot_be_started_says_why(folder):
    code, out, errors = run_program(None, folder, "bin/none --all", {})
    assert (code, out) == (127, "") and f"{folder}/bin/none" in errors


def test_a_module_from_a_bundle_runs_nothing_before_somebody_agreed(wood, modules):
    modules.script(wood.file("scripts", "provider", "soil"), "ask", f"touch {wood.file('ran')}")
    with pytest.raises(BadUsage):
        run_program(wood, wood.file("scripts", "provider", "soil"), "ask", {})
    assert not os.path.exists(wood.file("ran"))


# The nodes that leave


@pytest.fixture
def leaves(modules, folder, wood):
    """Return who leaves, by the provider's script `leaving` of that body; None: it has none."""

    def ask(body, nodes=NODES, first="#!/bin/sh\n"):
        if body is not None:
            with open(modules.script(folder, "leaving", ""), "w") as file:
                file.write(first + body)
        platform = Module("tree", "platform", modules.write("platform", "tree"), prefix="TREE")
        values = {"TREE_ID": "0123456789", "NODES": "1"}
        return leaving(wood, Config(Module("soil", "provider", folder), platform, (), {}, values, {}), nodes)

    return ask


def test_the_nodes_that_are_named_leave_in_the_order_of_the_inventory(leaves):
    assert leaves('echo "node-3 node-11"\necho node-$((NODES + 1))') == ["node-2", "node-3"]
    assert leaves("true") == []


def test_without_a_script_or_nodes_nobody_is_asked(leaves):
    assert leaves(None) is None
    assert leaves("exit 1", nodes=[]) is None


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("echo 'error: no account' >&2; exit 4", "soil cannot tell which nodes leave: no account."),
        ("echo on standard output; exit 4", "soil cannot tell which nodes leave: on standard output."),
        ("exit 4", "soil cannot tell which nodes leave: 4."),
    ],
)
def test_a_provider_that_cannot_tell_stops_all(leaves, body, sentence):
    with pytest.raises(NotReady) as problem:
        leaves(body)
    assert problem.value.message == sentence
    assert problem.value.next_step == "Nothing was started. Put that right and try again."


def test_a_script_that_cannot_be_started_stops_all(leaves, folder):
    with pytest.raises(NotReady) as problem:
        leaves("", first="#!/opt/none/sh\n")
    assert f"{folder}/leaving" in problem.value.message and problem.value.next_step
