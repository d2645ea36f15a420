"""rigger config"""

import json
import os
import re
import shutil
import subprocess
import sys

import pexpect
import pytest


def editor(cluster, body):
    path = os.path.join(cluster.rigger.folder, "editor")
    with open(path, "w") as file:
        file.write(f"#!/bin/sh\n{body}\n")
    os.chmod(path, 0o755)
    return {"EDITOR": path}


def test_the_environment_before_and_after_every_word(cluster):
    cluster.configure("--name", "other", "--set", "COLOUR=blue")
    for words in ("-e wood config get COLOUR", "config -e wood get COLOUR", "config get -e wood COLOUR"):
        assert cluster.rigger(*words.split()).out == "green\n", words
    assert cluster.rigger("config", "get", "COLOUR").out == "blue\n"


def test_no_word_at_all(cluster):
    assert cluster.rigger("config").out.startswith("Usage: rigger config ")


# get


@pytest.mark.slow
def test_get_one_and_all(provisioned):
    provisioned.rigger("config", "set", "COLOUR=red", "TOKEN=a-secret-token")
    provisioned.script("platform", "deploy", "rigger-save-vars MADE=here")
    provisioned.rigger("provision")
    assert provisioned.rigger("config", "get", "COLOUR").out == "red\n"
    assert provisioned.rigger("config", "get", "NODES").out == "2\n"
    [value] = json.loads(provisioned.rigger("config", "get", "COLOUR", "-o", "json").out)["values"]
    assert (value["name"], value["value"]) == ("COLOUR", "red")
    rows = {
        row["name"]: row
        for row in json.loads(provisioned.rigger("config", "get", "-o", "json").out)["values"]
    }
    assert (rows["COLOUR"]["source"], rows["NODES"]["source"], rows["MADE"]["source"]) == (
        "set",
        "default",
        "from scripts",
    )
    assert rows["TOKEN"]["value"] == "***"
    assert "a-secret-token" not in provisioned.rigger("config", "get").out
    assert "a-secret-token" in provisioned.rigger("config", "get", "--show-secrets").out


def test_get_what_is_not_there(cluster):
    refused = cluster.rigger("config", "get", "COLUOR", code=2)
    assert "COLUOR" in refused.err and "COLOUR" in refused.err


# set, unset


@pytest.mark.slow
def test_what_is_set_is_validated_like_an_answer(cluster):
    before = cluster.content("vars")
    for assignment, reason in {
        "NODES=many": "NODES must be a whole number",
        "NODES=99": "NODES must be at most 9",
        "NODES=": "NODES must not be empty",
        "VERSION=7": "VERSION must be one of 1.10.0, 1.9.0",
        "COLUOR=red": "did you mean COLOUR?",
        "LD_PRELOAD=x": "LD_PRELOAD",
        "PATH=/tmp": "PATH",
        "just words": "not of the form NAME=VALUE",
        "=x": "not of the form NAME=VALUE",
        "PROVIDER=nowhere": "nowhere",
    }.items():
        refused = cluster.rigger("config", "set", "COLOUR=red", assignment, code=2)
        assert reason in refused.err, (assignment, refused)
        assert cluster.content("vars") == before, assignment
    assert not os.path.exists(cluster.file("runs"))


def test_set_is_recorded_by_name_only(cluster):
    assert (
        "Changed: COLOUR, TOKEN"
        in cluster.rigger("config", "set", "COLOUR=vermilion", "TOKEN=a-secret-token").out
    )
    record = cluster.records()[-1]
    assert record["event"] == "configured" and record["changed"] == ["COLOUR", "TOKEN"]
    assert "vermilion" not in cluster.content("audit.jsonl")
    assert "a-secret-token" not in cluster.content("vars") and "a-secret-token" in cluster.content("secrets")
    count = len(cluster.records())
    assert "Nothing was changed" in cluster.rigger("config", "set", "COLOUR=vermilion").out
    assert len(cluster.records()) == count


def test_any_bytes_can_be_set(cluster):
    value = b"a\xff'\"$(x)`y`\\\n\tz"
    cluster.rigger("config", "set", "COLOUR=" + os.fsdecode(value))
    argv = [*cluster.rigger.argv, "config", "get", "COLOUR"]
    assert subprocess.run(argv, env=cluster.rigger.env, capture_output=True).stdout == value + b"\n"


def test_unset_gives_the_default_back(cluster):
    cluster.rigger("config", "set", "NODES=5")
    cluster.rigger("config", "unset", "NODES")
    assert cluster.rigger("config", "get", "NODES").out == "2\n"
    assert "NODES is not set in wood" in cluster.rigger("config", "unset", "NODES", code=2).err
    assert "cannot be unset" in cluster.rigger("config", "unset", "PROVIDER", code=2).err


def test_the_provider_of_a_cluster_cannot_change(provisioned):
    refused = provisioned.rigger("config", "set", "PROVIDER=noop", code=2)
    assert "cannot change while it exists" in refused.err and "rigger destroy" in refused.err
    refused = provisioned.configure("--provider", "noop", code=2)
    assert "cannot change while it exists" in refused.err


# diff


@pytest.mark.slow
def test_diff(provisioned):
    assert provisioned.rigger("config", "diff").out == "No difference.\n"
    provisioned.rigger("config", "diff", "--exit-code")
    provisioned.rigger("config", "set", "COLOUR=red", "TOKEN=a-secret-token")
    said = provisioned.rigger("config", "diff", "--exit-code", code=8)
    assert "COLOUR  green        red" in said.out and "a-secret-token" not in said.out
    found = json.loads(provisioned.rigger("config", "diff", "-o", "json").out)["changes"]
    assert found["COLOUR"] == {"provisioned": "green", "configured": "red"}
    assert found["TOKEN"] == {"provisioned": None, "configured": "***"}
    provisioned.rigger("provision")
    assert provisioned.rigger("config", "diff").out == "No difference.\n"


# edit


def test_edit_saves_what_is_valid(cluster):
    said = cluster.rigger("config", "edit", env=editor(cluster, 'echo \'COLOUR="deep red"\' >>"$1"'))
    assert "+ COLOUR=deep red" in said.out
    assert cluster.rigger("config", "get", "COLOUR").out == "deep red\n"
    assert not os.path.exists(cluster.file("vars.edit"))


def test_edit_refuses_what_is_invalid(cluster):
    before = cluster.content("vars")
    for line in ("NODES=many", "NODES=$(touch pwned)", "just words", "COLUOR=red", "LD_PRELOAD=x"):
        refused = cluster.rigger("config", "edit", env=editor(cluster, f"echo '{line}' >>\"$1\""), code=3)
        assert "nothing was changed" in refused.err and cluster.file("vars.edit") in refused.err, line
        assert cluster.content("vars") == before
        with open(cluster.file("vars.edit")) as file:
            assert line in file.read()
    assert not os.path.exists(os.path.join(cluster.rigger.folder, "pwned"))


def test_edit_without_a_change_and_with_an_editor_that_fails(cluster):
    assert "Nothing was changed" in cluster.rigger("config", "edit", env=editor(cluster, "true")).out
    refused = cluster.rigger("config", "edit", env=editor(cluster, "exit 3"), code=10)
    assert "exited 3" in refused.err and "bug" not in refused.err
    refused = cluster.rigger("config", "edit", env={"EDITOR": "/nowhere/vi"}, code=4)
    assert "/nowhere/vi does not exist" in refused.err and "Set EDITOR to an editor" in refused.err
    assert "is not a command" in cluster.rigger("config", "edit", env={"EDITOR": "vi '"}, code=2).err
    assert not os.path.exists(cluster.file("vars.edit"))  # nobody wrote anything


def test_edit_without_a_terminal_and_without_an_editor(cluster):
    path = os.path.join(cluster.rigger.folder, "vi")
    os.rename(editor(cluster, 'echo opened >"$HOME/opened"')["EDITOR"], path)
    env = {"EDITOR": "", "VISUAL": "", "PATH": f"{cluster.rigger.folder}:{os.environ['PATH']}"}
    refused = cluster.rigger("config", "edit", env=env, code=2)
    assert "no terminal" in refused.err and "EDITOR" in refused.err and "config set" in refused.err
    assert not os.path.exists(os.path.join(cluster.rigger.env["HOME"], "opened"))
    assert not os.path.exists(cluster.file("vars.edit"))


def spoil(cluster, content):
    with open(cluster.file("vars"), "wb") as file:
        file.write(content)


@pytest.mark.slow
def test_edit_opens_a_damaged_file_as_it_is(provisioned):
    provisioned.rigger("config", "set", "COLOUR=red")
    id = provisioned.rigger("config", "get", "TREE_ID").out
    whole = provisioned.content("vars")
    damaged = whole.replace('COLOUR="red"', 'COLOUR="red') + "# a note\n"
    spoil(provisioned, damaged.encode())
    assert "config edit" in provisioned.rigger("status", code=None).err
    opened = os.path.join(provisioned.rigger.folder, "opened")
    body = f"""cp $1 {opened}; sed -i 's/"red/"deep red"/' $1"""
    said = provisioned.rigger("config", "edit", env=editor(provisioned, body))
    with open(opened) as file:
        assert file.read() == damaged
    assert "a double quote that is never closed. Close it." in said.out
    assert "+ COLOUR=deep red" in said.out and "TREE_ID" not in said.out
    assert provisioned.rigger("config", "get", "TREE_ID").out == id
    assert provisioned.records()[-1]["event"] == "configured"
    assert provisioned.records()[-1]["changed"] == ["COLOUR"]
    assert provisioned.content("vars") == whole.replace('"red"', '"deep red"')
    assert not os.path.exists(provisioned.file("vars.edit"))
    provisioned.rigger("provision")


@pytest.mark.slow
def test_edit_of_a_damaged_file_keeps_what_the_cluster_is(provisioned):
    whole = provisioned.content("vars")
    id = provisioned.rigger("config", "get", "TREE_ID").out.strip()
    for text, reason in {
        "$(touch pwned)\n": "which only a shell can evaluate",
        whole.replace(id, "0123456789"): f'TREE_ID="{id}"',
        whole.replace("export TREE_ID", "#"): f'TREE_ID="{id}"',
        whole.replace('PROVIDER="soil"', 'PROVIDER="noop"'): 'PROVIDER="soil"',
        "": "does not say which PLATFORM",
    }.items():
        spoil(provisioned, b'"')
        path = os.path.join(provisioned.rigger.folder, "text")
        with open(path, "w") as file:
            file.write(text)
        refused = provisioned.rigger("config", "edit", env=editor(provisioned, f'cat {path} >"$1"'), code=3)
        assert reason in refused.out and "nothing was changed" in refused.err, (text, refused)
        assert provisioned.content("vars") == '"'
        os.unlink(provisioned.file("vars.edit"))
    os.unlink(provisioned.file("vars"))
    lost = provisioned.rigger("config", "edit", env=editor(provisioned, "true"), code=3)
    assert (
        "no vars file" in lost.out and "rigger configure --name wood" in lost.out and "(mv " not in lost.out
    )
    provisioned.rigger("config", "edit", env=editor(provisioned, f"echo '{whole}' >$1"))
    assert provisioned.content("vars") == whole


@pytest.mark.slow
def test_what_gives_a_file_of_garbage_back(provisioned):
    provisioned.rigger("config", "set", "COLOUR=red")
    os.mkdir(provisioned.file("saved"))
    bundle = provisioned.file("saved", "first.rigger")
    provisioned.rigger("save", "-o", bundle)
    provisioned.rigger("provision")
    values = [line for line in provisioned.content("vars").splitlines() if line.startswith("export ")]
    spoil(provisioned, b"\xff\x00\x01 garbage (")
    refused = provisioned.rigger("config", "edit", env=editor(provisioned, "true"), code=3)
    assert "a NUL byte" in refused.out
    assert not os.path.exists(provisioned.file("vars.edit"))
    [unpack] = re.findall(r"earlier time: (tar .*)$", refused.err, re.MULTILINE)
    if shutil.which("zstd"):
        vars = subprocess.run(unpack, shell=True, check=True, capture_output=True, text=True).stdout
        assert vars.splitlines() == values
    [away] = re.findall(r"move it away \((mv .*?)\)", refused.err)
    [again] = re.findall(r'"rigger (configure.*?)"', refused.err)
    subprocess.run(away, shell=True, check=True)
    provisioned.rigger(*again.split(), "--defaults")
    assert {*values} <= {*provisioned.content("vars").splitlines()}
    provisioned.ran()
    provisioned.rigger("provision")
    assert "provider/create" not in provisioned.ran()


def edit_on_a_terminal(cluster, body, *steps):
    """Type `rigger config edit`, with an editor that does what `body` says; see each text and type what belongs to it."""
    env = {**cluster.rigger.env, **editor(cluster, body)}
    argv = [*cluster.rigger.argv[1:], "config", "edit"]
    child = pexpect.spawn(
        sys.executable, argv, env=env, cwd=cluster.rigger.folder, encoding="utf-8", timeout=20
    )
    for text, line in steps:
        child.expect(text)
        if line:
            child.sendline(line)
    child.expect(pexpect.EOF)


def test_edit_of_a_damaged_file_on_a_terminal(cluster):
    spoil(cluster, (cluster.content("vars") + 'COLOUR="blue\n').encode())
    edit_on_a_terminal(
        cluster,
        """sed -i 's/"blue/"blue"/' $1""",
        ("never closed", ""),
        ("Open it in the editor", "y"),
        (r"\+ COLOUR=blue", ""),
        ("Save this", "y"),
        ("can be read again", ""),
    )
    assert cluster.rigger("config", "get", "COLOUR").out == "blue\n"


def test_edit_goes_back_to_the_editor_on_a_terminal(cluster):
    edit_on_a_terminal(
        cluster,
        'if grep -q many "$1"; then sed -i s/many/4/ "$1"; else echo NODES=many >>"$1"; fi',
        ("NODES must be a whole number", ""),
        ("Go back to the editor", "y"),
        (r"\+ NODES=4", ""),
        ("Save this", "y"),
        ("Changed: NODES", ""),
    )
    assert cluster.rigger("config", "get", "NODES").out == "4\n"


def test_what_rigger_works_out_cannot_be_set(cluster):
    for text in ("TREE_ID=0123456789", "TREE_VERSION=1.9.0"):
        assert "computed by rigger" in cluster.rigger("config", "set", text, code=2).err


def test_a_look_at_nothing_does_not_fix_the_provider(cluster):
    cluster.rigger("check", code=None)
    cluster.rigger("config", "set", "PROVIDER=noop")


@pytest.mark.slow
def test_values_at_two_moments_are_compared(provisioned):
    provisioned.rigger("config", "set", "NODES=3", "TOKEN=hunter2hunter2")
    provisioned.rigger("provision")
    provisioned.rigger("config", "unset", "NODES")
    rows = [
        line.split()
        for line in provisioned.rigger("config", "diff", "--at", "1", "--at", "2").out.splitlines()
    ]
    assert (
        rows[0] == ["NAME", "RUN", "1", "RUN", "2"]
        and ["NODES", "2", "3"] in rows
        and ["TOKEN", "changed"] in rows
    )
    report = json.loads(provisioned.rigger("config", "diff", "--at", "2", "-o", "json").out)
    assert report["changes"] == {
        "NODES": {"from": None, "to": None, "hidden": True}
    }  # which no run has had yet
    assert len(report["at"]) == 2
    same = provisioned.rigger("config", "diff", "--at", "2", "--at", "2", "--exit-code")
    assert same.out == "No difference.\n"
    assert "not those at" in provisioned.rigger("config", "diff", "--at", "1", "--exit-code", code=8).err
    assert "one or two moments" in provisioned.rigger("config", "diff", *["--at", "1"] * 3, code=2).err
