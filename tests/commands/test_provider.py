"""rigger provider: a new one works at once, and the list hides nothing."""

import json
import os
import stat
import subprocess

import pytest


def listed(rigger, *arguments):
    return json.loads(rigger("provider", "list", "-o", "json", *arguments).out)["modules"]


@pytest.mark.slow
def test_a_new_one_works_at_once(rigger, tmp_path):
    said = rigger("provider", "new", "hetzner").out
    assert "./hetzner is a provider that works" in said
    assert "rigger module check --run ./hetzner" in said and "rigger configure --provider ./hetzner" in said
    rigger("platform", "new", "hello")
    rigger("configure", "--defaults", "--provider", "./hetzner", "--platform", "./hello")
    rigger("provision")
    assert "smoke: 1 passed" in rigger("test", "smoke").out
    nodes = json.loads(open(rigger.path("environments", "hello", "inventory.json")).read())
    assert [node["name"] for node in nodes] == ["node-1", "node-2"]
    assert all(node["address"].startswith("127.") for node in nodes)
    rigger("config", "set", "NODES=1")
    rigger("provision", "--yes")
    state = rigger.path("environments", "hello", "modules", "hetzner", "machines")
    assert os.listdir(state) == ["node-1"]
    rigger("destroy", "--yes")
    assert not os.path.exists(state)


def test_what_is_written(rigger, tmp_path):
    rigger("provider", "new", "hetzner")
    folder = tmp_path / "hetzner"
    for name in ("install", "create", "check", "destroy", "exec"):
        text = (folder / name).read_text()
        assert text.startswith("#!/usr/bin/env bash\n# Summary: ") and "\n# Needs: " in text
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o755
    assert not os.access(folder / "README.md", os.X_OK)
    together = "".join(path.read_text() for path in folder.iterdir())
    assert "SCAFFOLD" not in together
    for taught in (
        "rigger-save-vars", "rigger-save-secrets", "RIGGER_INVENTORY_OUTPUT", "RIGGER_LEAVING", "idempotent",
        "on nothing at all", "type: secret", "rigger-node", "timeouts:", "NODES", "rigger-leftover", "changes:",
        "read-only",
    ):  # fmt: skip
        assert taught in together, taught


def test_the_umask_holds(rigger, tmp_path):
    subprocess.run(
        ["sh", "-c", 'umask 027; exec "$@"', "sh", *rigger.argv, "provider", "new", "mine"],
        env=rigger.env, cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "mine").iterdir()}
    assert (modes["create"], modes["rigger.yml"]) == (0o750, 0o640)
    assert stat.S_IMODE((tmp_path / "mine").stat().st_mode) == 0o750


@pytest.mark.parametrize("name", ["", "Big", "-x", "a/b", "../up", "ä", "a b", "x" * 64])
def test_what_is_no_name(rigger, tmp_path, name):
    said = rigger("provider", "new", "--", name, code=2)
    assert "is not a name" in said.err
    assert os.listdir(tmp_path) == []


def test_nothing_is_overwritten(rigger, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "create").write_text("precious")
    (tmp_path / "file").write_text("precious")
    assert "is not an empty folder" in rigger("provider", "new", "mine", code=2).err
    assert "is not an empty folder" in rigger("provider", "new", "mine", "--path", "file", code=2).err
    assert os.listdir(tmp_path / "mine") == ["create"]
    (tmp_path / "empty").mkdir()
    rigger("provider", "new", "mine", "--path", "empty")
    assert "rigger.yml" in os.listdir(tmp_path / "empty")
    assert sorted(os.listdir(tmp_path)) == ["empty", "file", "mine"]


def test_a_folder_that_cannot_be_written(rigger, tmp_path):
    (tmp_path / "file").write_text("")
    said = rigger("provider", "new", "mine", "--path", "file/inside", code=4)
    assert "cannot be written" in said.err and "Traceback" not in said.err


def test_where_each_comes_from(rigger, modules, tmp_path, private_home):
    modules.write("provider", "soil", "description: Good earth\n")
    modules.write("provider", "local")
    rigger("provider", "new", "mine", "--path", rigger.path("providers", "mine"))
    found = {(row["name"], row["from"]): row for row in listed(rigger)}
    soil = found["soil", "$RIGGER_PROVIDER_PATH"]
    assert (soil["description"], soil["interface"], soil["problem"]) == ("Good earth", 2, "")
    assert soil["folder"] == os.path.join(modules.folder, "providers", "soil")
    assert found["mine", "~/.rigger/providers"]["folder"] == rigger.path("providers", "mine")
    assert not found["local", "$RIGGER_PROVIDER_PATH"]["shadowed"]
    assert found["local", "rigger itself"]["shadowed"]
    text = rigger("provider", "list").out
    assert "hidden by the one above; Machines on this computer" in text
    assert ["soil", "2", "$RIGGER_PROVIDER_PATH", soil["folder"], "Good", "earth"] in map(
        str.split, text.splitlines()
    )


def test_what_cannot_be_used_is_named_loudly(rigger, modules):
    folder = modules.write("provider", "soil")
    os.chmod(os.path.join(folder, "destroy"), 0o644)
    bad = modules.write("provider", "mud", "colour: brown\n")
    rows = {row["name"]: row for row in listed(rigger)}
    assert rows["soil"]["problem"] == f"{folder}/destroy is not executable"
    assert f"{bad}/rigger.yml, line 4: colour" in rows["mud"]["problem"]
    text = rigger("provider", "list").out
    assert f"! provider soil cannot be used: {folder}/destroy is not executable" in text
    assert "! provider mud cannot be used: " in text and "noop" in text


def test_scripts_that_are_no_module_are_named(rigger, tmp_path):
    rigger("configure", "--defaults", "--name", "one", "--platform", "noop", "--provider", "noop")
    mine = rigger.path("providers", "mine")
    odd = rigger.path("environments", "one", "checkout", "contrib", "Odd")
    for folder in (mine, odd, rigger.path("providers", "empty"), rigger.path("platforms", "app")):
        os.makedirs(folder)
    for path in (f"{mine}/create.sh", f"{odd}/create", rigger.path("platforms", "app", "deploy")):
        with open(path, "w") as file:
            file.write("#!/bin/sh\n")
    text = rigger("provider", "list").out
    assert "! provider mine cannot be used: its scripts have no rigger.yml beside them" in text
    assert "! provider Odd cannot be used: that is not a name" in text and "empty" not in text
    assert ["mine", "-", "~/.rigger/providers", "~/.rigger/providers/mine"] in [
        line.split()[:4] for line in text.splitlines()
    ]
    (row,) = [row for row in listed(rigger) if row["name"] == "mine"]
    assert (row["interface"], row["folder"]) == (None, mine)
    assert "! platform app cannot be used: its scripts have no rigger.yml" in rigger("platform", "list").out
    said = rigger("configure", "--no-input", "--provider", "mine", code=None)
    assert said.code != 0 and "mine" in said.err


def test_those_of_the_checkout_are_first(rigger, tmp_path):
    rigger("configure", "--defaults", "--name", "one", "--platform", "noop", "--provider", "noop")
    checkout = rigger.path("environments", "one", "checkout")
    rigger("provider", "new", "local", "--path", os.path.join(checkout, "contrib", "local"))
    old = os.path.join(checkout, "contrib", "vagrant")
    os.makedirs(old)
    for name in ("create.sh", "destroy.sh"):
        with open(os.path.join(old, name), "w") as file:
            file.write("true\n")
    rows = listed(rigger)
    assert [(row["name"], row["from"], row["interface"]) for row in rows[:2]] == [
        ("local", "checkout", 2), ("vagrant", "checkout", 1),
    ]  # fmt: skip
    assert [row["shadowed"] for row in rows if row["name"] == "local"] == [False, True]
    with open(rigger.path("environments", "one", "vars"), "w") as file:
        file.write("PLATFORM=$(false)\n")  # a broken environment hides no module
    os.mkdir(os.path.join(old, "check"))
    (vagrant,) = [row for row in listed(rigger) if row["name"] == "vagrant"]
    assert f"{old}/check is a folder" in vagrant["problem"]


def test_no_environment_is_needed(rigger):
    assert {"local", "noop"} <= {row["name"] for row in listed(rigger)}
    assert not os.path.exists(rigger.home)
    assert "no environment named" in rigger("-e", "none", "provider", "list", code=3).err.replace("yet", "")
