"""rigger audit; what it says of a log that was changed is in tests/commands/test_history.py."""

import json
import os

import pytest


def test_a_module_that_finds_differences_is_named(provisioned):
    provisioned.script("platform", "audit", "echo node-2 has another colour; exit 8")
    said = provisioned.rigger("audit", code=8)
    assert "records, unbroken" in said.out
    assert "wood is not what rigger made: platforms/tree/audit found differences." in said.err
    report = json.loads(provisioned.rigger("audit", "-o", "json", code=8).out)
    assert report["problems"] == [] and report["changed"] == ["platforms/tree/audit found differences."]
    assert provisioned.ran() == ["platform/audit", "platform/audit"]


def test_a_module_that_cannot_look_is_no_difference(provisioned):
    provisioned.script("platform", "audit", "exit 3")
    assert "platforms/tree/audit exited 3" in provisioned.rigger("audit", code=5).err


def test_nothing_made_is_nothing_to_look_at(cluster):
    cluster.script("platform", "audit", "exit 8")
    assert "unbroken" in cluster.rigger("audit").out
    assert cluster.ran() == []


# ---- a log that is not what was written ------------------------------------------------------------------


def cut(cluster, count):
    lines = cluster.content("audit.jsonl").splitlines(keepends=True)
    with open(cluster.file("audit.jsonl"), "w") as file:
        file.writelines(lines[:count])


@pytest.mark.slow
def test_a_head_that_was_noted_elsewhere(provisioned):
    last = provisioned.records()[-1]
    head = f"{last['seq']}:{last['hash']}"
    assert f"Head:\n  {head}\n" in provisioned.rigger("audit").out
    provisioned.rigger("config", "set", "COLOUR=red")
    provisioned.rigger("audit", "--head", head)
    said = provisioned.rigger("audit", "--head", f"{last['seq']}:{'0' * 64}", code=8)
    assert f"record {last['seq']} is not the one whose hash was noted elsewhere" in said.err
    said = provisioned.rigger("audit", "--head", f"99:{'0' * 64}", code=8)
    assert "records are missing at the end: there were 99" in said.err
    for wrong in ("", "7", f"7:{'0' * 63}", f"-7:{'0' * 64}"):
        assert "is no head of an audit log" in provisioned.rigger("audit", "--head", wrong, code=2).err


@pytest.mark.slow
def test_a_bundle_knows_a_head(provisioned, tmp_path):
    bundle = str(tmp_path / "wood.rigger")
    provisioned.rigger("save", "-o", bundle)
    provisioned.rigger("config", "set", "COLOUR=red")
    provisioned.rigger("audit", "--bundle", bundle)
    cut(provisioned, 3)
    os.unlink(provisioned.file("audit.head"))  # by somebody who knows of it
    assert "unbroken" in provisioned.rigger("audit").out
    said = provisioned.rigger("audit", "--bundle", bundle, code=8)
    assert "records are missing at the end" in said.err
    provisioned.rigger(
        "configure", "--defaults", "--name", "other", "--provider", "soil", "--platform", "tree"
    )
    assert "is a bundle of wood" in provisioned.rigger("-e", "other", "audit", "--bundle", bundle, code=2).err


CHANGING = [["provision"], ["destroy", "-y"], ["config", "set", "COLOUR=red"], ["forget", "wood", "-y"]]


@pytest.mark.slow
@pytest.mark.parametrize("with_head", [True, False], ids=["a head is left", "no head is left"])
def test_a_deleted_log_is_an_alarm_and_what_is_there_can_still_be_destroyed(provisioned, with_head):
    provisioned.ran()
    os.unlink(provisioned.file("audit.jsonl"))
    if not with_head:
        os.unlink(provisioned.file("audit.head"))
    assert (
        "there is no record, although there are machines (node-1" in provisioned.rigger("audit", code=8).err
    )
    for command in (["status"], *CHANGING):
        said = provisioned.rigger(*command, code=3)
        assert "there is no record" in said.err and "rigger audit --repair" in said.err, command
    assert provisioned.ran() == [] and not os.path.exists(provisioned.file("audit.jsonl"))
    provisioned.rigger("audit", "--repair", code=2)  # nobody agreed
    said = provisioned.rigger("audit", "--repair", "-y")
    assert "Lost: " in said.out and "rigger check" in said.out
    provisioned.rigger("status")
    provisioned.rigger("forget", "wood", "-y", code=2)
    provisioned.rigger("destroy", "-y")
    assert "provider/destroy" in provisioned.ran()
    provisioned.rigger("forget", "wood", "-y")


@pytest.mark.slow
def test_a_cut_log_is_an_alarm_and_a_repair_says_what_it_does(provisioned):
    count = len(provisioned.records())
    cut(provisioned, 4)
    before = provisioned.content("audit.jsonl")
    missing = f"{count - 4} records are missing at the end: there were {count}"
    for command in (["status"], *CHANGING):
        assert missing in provisioned.rigger(*command, code=3).err, command
    said = provisioned.rigger("audit", "--repair", "-y")
    assert "Kept: 4 records as they are" in said.out
    [aside] = [name for name in os.listdir(provisioned.path) if ".damaged-" in name]
    assert aside in said.out and provisioned.content(aside) == before
    assert provisioned.records()[-1]["lost"] == [missing]
    assert "unbroken" in provisioned.rigger("audit").out
    assert "is unbroken" in provisioned.rigger("audit", "--repair", "-y", code=2).err
    provisioned.rigger("provision")
    provisioned.rigger("destroy", "-y")


@pytest.mark.slow
def test_a_bundle_brings_a_deleted_log_back(provisioned, tmp_path):
    bundle = str(tmp_path / "wood.rigger")
    provisioned.rigger("save", "-o", bundle)
    records = provisioned.records()
    load = ["configure", "--file", bundle, "--no-input", "--trust"]
    os.unlink(provisioned.file("audit.jsonl"))
    provisioned.rigger(*load)
    assert provisioned.records()[:-1] == records and "unbroken" in provisioned.rigger("audit").out
    provisioned.rigger("config", "set", "COLOUR=red")
    os.unlink(provisioned.file("audit.jsonl"))
    said = provisioned.rigger(*load, code=9)
    assert "is broken" in said.err and "--allow-older" in said.err
    provisioned.rigger(*load, "--allow-older")
    assert provisioned.records()[:-1] == records
