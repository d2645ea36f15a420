"""rigger list, rigger use"""

import json
import os

import pytest


def rows(rigger):
    return {row["name"]: row for row in json.loads(rigger("list", "-o", "json").out)["environments"]}


def test_nothing_yet(rigger):
    assert "There is no environment yet" in rigger("list").out
    assert json.loads(rigger("list", "-o", "json").out)["environments"] == []


@pytest.mark.slow
def test_several_side_by_side(provisioned):
    provisioned.configure("--name", "other", "--version", "1.9.0")
    found = rows(provisioned.rigger)
    assert (found["wood"]["current"], found["other"]["current"]) == (False, True)
    assert (found["wood"]["configured_version"], found["other"]["configured_version"]) == ("1.10.0", "1.9.0")
    assert (found["wood"]["nodes"], found["other"]["nodes"]) == (2, 0)
    assert found["wood"]["provider"] == "soil" and found["wood"]["platform"] == "tree"
    text = provisioned.rigger("list").out.splitlines()
    assert text[0].split() == ["NAME", "STATE", "NODES", "PLATFORM", "VERSION", "PROVIDER", "LAST", "RUN"]
    assert text[1].split() == ["*", "other", "configured", "0", "tree", "1.9.0", "soil", "-"]
    assert text[2].split()[:2] == ["wood", "deployed"] and text[2].endswith("  1 provision done")


@pytest.mark.slow
def test_use(provisioned, rigger):
    provisioned.configure("--name", "other")
    assert "wood is the current environment" in rigger("use", "wood").out
    assert rows(rigger)["wood"]["current"]
    with open(rigger.path("vars")) as file:
        assert file.read() == provisioned.content("vars")
    assert "did you mean wood?" in rigger("use", "wod", code=3).err
    assert "Known: other, wood." in rigger("use", "../wood", code=3).err
    assert rows(rigger)["wood"]["current"]


@pytest.mark.slow
def test_a_broken_one_does_not_hide_the_others(provisioned, rigger):
    provisioned.configure("--name", "other")
    with open(rigger.path("environments", "other", "vars"), "w") as file:
        file.write("PLATFORM=$(touch pwned)\n")
    found = rows(rigger)
    assert found["wood"]["nodes"] == 2 and "line 1" in found["other"]["problem"]
    assert "other" in rigger("list").out


def test_no_current_one(provisioned, rigger):
    os.unlink(rigger.path("current"))
    refused = rigger("status", code=3)
    assert (
        "no current environment" in refused.err and "rigger use NAME" in refused.err and "wood" in refused.err
    )
    rigger("-e", "wood", "status")
