"""rigger bundle inspect, verify and diff"""

import json
import os

import pytest
from helpers.second_machine import TOKEN, contents, elsewhere, forest, forge, save


@pytest.fixture
def cluster(rigger, modules):
    cluster = forest(rigger, modules)
    cluster.configure("--set", "VERSION=1.9.0", env={"RIGGER_TOKEN": TOKEN})
    return cluster


@pytest.fixture
def bundle(cluster, tmp_path):
    return save(cluster.rigger, tmp_path)


def test_inspect(cluster, bundle):
    said = cluster.rigger("bundle", "inspect", bundle).out
    assert said.startswith("wood: tree 1.9.0 on soil\n")
    assert "redacted" in said and "TOKEN" in said and TOKEN not in said
    assert cluster.records()[-1]["hash"] in said
    for name in contents(bundle):
        assert name == "manifest.json" or name in said
    found = json.loads(cluster.rigger("bundle", "inspect", bundle, "-o", "json").out)
    assert found["name"] == "wood" and found["files"]["vars"]["mode"] == "0600"


def test_verify(cluster, bundle):
    said = cluster.rigger("bundle", "verify", bundle).out
    assert "files as written, audit log of 1 records whole, not signed" in said
    found = json.loads(cluster.rigger("bundle", "verify", bundle, "-o", "json").out)
    assert found["good"] is True and found["files"] == len(contents(bundle)) - 1
    assert os.listdir(cluster.rigger.path("environments")) == ["wood"]


def test_verify_of_what_was_changed(cluster, bundle, tmp_path):
    with open(bundle, "rb") as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 1
    (tmp_path / "changed.rigger").write_bytes(data)
    assert "was refused" in cluster.rigger("bundle", "verify", tmp_path / "changed.rigger", code=9).err
    log = contents(bundle)["audit.jsonl"].replace(b"configured", b"configurde")
    forged = forge(bundle, str(tmp_path / "forged.rigger"), change_files={"audit.jsonl": log})
    assert "hash is wrong" in cluster.rigger("bundle", "verify", forged, code=9).err
    for verb in ("inspect", "verify", "diff"):
        assert "Cannot read" in cluster.rigger("bundle", verb, "none.rigger", code=2).err


@pytest.mark.slow
def test_diff_with_the_environment(cluster, bundle):
    assert cluster.rigger("bundle", "diff", bundle, "--exit-code").out == "No difference.\n"
    cluster.rigger("config", "set", "COLOUR=red")
    said = cluster.rigger("bundle", "diff", bundle)
    assert [line.split() for line in said.out.splitlines()] == [["~", "audit.jsonl"], ["~", "vars"]]
    assert (
        "differs from the environment" in cluster.rigger("bundle", "diff", bundle, "--exit-code", code=8).err
    )
    found = json.loads(cluster.rigger("bundle", "diff", bundle, "-o", "json").out)
    assert (found["added"], found["removed"], found["changed"]) == ([], [], ["audit.jsonl", "vars"])


@pytest.mark.slow
def test_diff_of_two(cluster, bundle, tmp_path):
    cluster.rigger("provision")
    newer = save(cluster.rigger, tmp_path, name="newer.rigger")
    said = cluster.rigger("bundle", "diff", bundle, newer).out
    assert "+  inventory.json" in said and "~  audit.jsonl" in said
    assert "-  inventory.json" in cluster.rigger("bundle", "diff", newer, bundle).out


@pytest.mark.slow
def test_secrets_inside_are_no_difference(cluster, tmp_path):
    path = save(cluster.rigger, tmp_path, "--with-secrets", env={"RIGGER_PASSPHRASE": "open sesame"})
    assert "inside, encrypted" in cluster.rigger("bundle", "inspect", path).out
    assert cluster.rigger("bundle", "diff", path).out == "No difference.\n"


def test_no_environment_is_needed_to_look(cluster, bundle, tmp_path):
    other = elsewhere(cluster.rigger, tmp_path)
    other("bundle", "inspect", bundle)
    other("bundle", "verify", bundle)
    assert "no environment" in other("bundle", "diff", bundle, code=3).err
    assert not os.path.exists(other.path("environments"))


@pytest.mark.slow
def test_a_home_that_cannot_be_written_is_no_hindrance_to_looking(cluster, bundle, tmp_path):
    other = elsewhere(cluster.rigger, tmp_path)
    for home in ("/proc/nowhere", "/dev/null", str(tmp_path / "absent" / "home")):
        said = other("bundle", "verify", bundle, env={"RIGGER_HOME": home}).out
        assert "files as written" in said
        assert other("bundle", "diff", bundle, bundle, env={"RIGGER_HOME": home}).out == "No difference.\n"
    assert not os.path.exists(tmp_path / "absent")


def test_wrong_words(cluster):
    assert cluster.rigger("bundle").out.startswith("Usage: rigger bundle")
    for words in (["inspect"], ["look", "x"]):
        assert "--help" in cluster.rigger("bundle", *words, code=2).err
