"""What is inside a bundle, whether it is whole, and how it differs, from Python."""

import json
import os
import subprocess

import pytest
from helpers.second_machine import contents, forge

from rigger.environments.home import Home
from rigger.errors import BadUsage, DifferencesFound, InvalidConfig, Locked, Refused
from rigger.operations.bundle import diff, inspect, verify
from rigger.operations.save import SaveOptions, save
from rigger.operations.values import set_values


@pytest.fixture
def home(cluster):
    return Home(cluster.rigger.home)


@pytest.fixture
def bundle(wood, tmp_path):
    set_values(wood, {"TOKEN": "a-secret-token"})
    return save(wood, str(tmp_path / "wood.rigger")).contents.path


def key(folder, name) -> str:
    path = str(folder / name)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def test_a_bundle_says_what_it_is(wood, bundle):
    report = inspect(bundle).as_dict()
    assert (report["name"], report["platform"], report["provider"]) == ("wood", "tree", "soil")
    assert {*report["files"]} == {*contents(bundle)} - {"manifest.json"}
    assert report["files"]["vars"]["mode"] == "0600" and report["redacted"] == ["TOKEN"]
    assert json.loads(json.dumps(report)) == report


def test_what_it_says_is_believed_by_inspect_and_not_by_verify(home, bundle, tmp_path):
    log = contents(bundle)["audit.jsonl"].replace(b"configured", b"configurde")
    forged = forge(bundle, str(tmp_path / "forged.rigger"), change_files={"audit.jsonl": log})
    assert inspect(forged).manifest.fields == inspect(bundle).manifest.fields
    with pytest.raises(Refused, match="hash is wrong"):
        verify(home, forged)
    assert verify(home, bundle).as_dict() == {
        "file": bundle,
        "files": len(contents(bundle)) - 1,
        "signer": "",
        "good": True,
    }


def test_whatever_byte_is_changed_it_is_refused(home, bundle, tmp_path):
    with open(bundle, "rb") as file:
        whole = file.read()
    for place in (0, len(whole) // 2, len(whole) - 1):
        data = bytearray(whole)
        data[place] ^= 1
        (tmp_path / "changed.rigger").write_bytes(data)
        with pytest.raises(Refused):
            verify(home, str(tmp_path / "changed.rigger"))
    assert home.names() == ["wood"] and sorted(os.listdir(home.environments_dir)) == ["wood"]


def test_a_signature_is_of_that_key(home, wood, tmp_path, bundle):
    mine, other = key(tmp_path, "mine"), key(tmp_path, "other")
    signed = save(wood, str(tmp_path / "signed.rigger"), SaveOptions(sign_key=mine)).contents.path
    assert verify(home, signed, f"{mine}.pub").as_dict()["signer"]
    with pytest.raises(Refused):
        verify(home, signed, f"{other}.pub")
    with pytest.raises(Refused):
        verify(home, bundle, f"{mine}.pub")


def test_a_file_that_is_not_there_is_wrong_usage(home, tmp_path):
    path = str(tmp_path / "none.rigger")
    for look in (lambda: inspect(path), lambda: verify(home, path), lambda: diff(home, path)):
        with pytest.raises(BadUsage, match="none.rigger"):
            look()


# Differences


def test_from_the_environment_as_it_is_now(home, wood, bundle):
    assert not diff(home, bundle, strict=True).difference
    set_values(wood, {"COLOUR": "red"})
    report = diff(home, bundle).as_dict()
    assert report == {"added": [], "removed": [], "changed": ["audit.jsonl", "vars"]}
    with pytest.raises(DifferencesFound, match="wood.rigger differs from the environment") as caught:
        diff(home, bundle, name="wood", strict=True)
    assert caught.value.result.as_dict() == report


def test_secrets_inside_are_no_difference_from_the_environment(home, wood, tmp_path):
    path = key(tmp_path, "mine")
    with open(f"{path}.pub") as file:
        options = SaveOptions(with_secrets=True, recipients=(file.read().strip(),))
    sealed = save(wood, str(tmp_path / "sealed.rigger"), options).contents.path
    assert not diff(home, sealed).difference


def test_from_another_bundle(home, wood, bundle, tmp_path):
    set_values(wood, {"COLOUR": "red"})
    newer = save(wood, str(tmp_path / "newer.rigger")).contents.path
    more = forge(newer, str(tmp_path / "more.rigger"), change_files={"vars": contents(newer)["vars"] + b"\n"})
    assert diff(home, bundle, newer).as_dict()["changed"] == ["audit.jsonl", "vars"]
    assert diff(home, newer, more).as_dict() == {"added": [], "removed": [], "changed": ["vars"]}
    with pytest.raises(DifferencesFound, match="differs from .*newer.rigger"):
        diff(home, bundle, newer, strict=True)
    assert not diff(home, bundle, bundle, strict=True).difference


def test_the_environment_has_to_be_there_and_at_rest(home, wood, bundle):
    with pytest.raises(InvalidConfig, match="no environment named 'grove'"):
        diff(home, bundle, name="grove")
    with wood.locked("rigger provision"), pytest.raises(Locked):
        diff(home, bundle)
