"""rigger module check: what it says, as text and as JSON, and its exit codes; what it finds is in test_conformance."""

import json
import os

import pytest


def test_a_good_one(rigger):
    rigger("provider", "new", "hetzner")
    said = rigger("module", "check", "hetzner")
    assert said.out.splitlines()[0] == "hetzner: a provider of interface 2"
    assert "  PASS    rigger.yml: the manifest of a provider" in said.out
    assert "hetzner conforms: 19 passed, 0 failed, 0 advice." in said.out
    assert "Nothing of it was run; --run tries its whole life in a sandbox." in said.out


def test_a_bad_one(rigger, tmp_path):
    rigger("provider", "new", "hetzner")
    (tmp_path / "hetzner" / "destroy").rename(tmp_path / "hetzner" / "destory")
    said = rigger("module", "check", "hetzner", code=6)
    assert "  FAIL    destroy: is missing: a provider needs it; destory looks like it" in said.out
    assert said.err.startswith("rigger: hetzner does not conform: 17 passed, 2 failed")


def test_json(rigger, tmp_path):
    rigger("provider", "new", "hetzner")
    (tmp_path / "hetzner" / "create").write_text("if true\n")
    report = json.loads(rigger("module", "check", "hetzner", "-o", "json", code=6).out)
    assert {name: report[name] for name in ("module", "role", "interface", "ran", "good", "logs")} == {
        "module": "hetzner", "role": "provider", "interface": 2, "ran": False, "good": False, "logs": None,
    }  # fmt: skip
    assert report["folder"] == str(tmp_path / "hetzner")
    wanted = {"level": "FAIL", "text": "has no #! line", "file": "create", "line": 1}
    assert wanted in report["findings"]


@pytest.mark.slow
def test_what_scripts_say_is_shown_when_asked_for(rigger, tmp_path):
    rigger("provider", "new", "hetzner")
    quiet = rigger("module", "check", "hetzner", "--run")
    loud = rigger("module", "check", "hetzner", "--run", "-v")
    assert "Nothing to install." not in quiet.out and "Nothing to install." in loud.out
    assert not [name for name in os.listdir(tmp_path) if name != "hetzner"]


def test_wrong_words(rigger):
    rigger("provider", "new", "hetzner")
    said = rigger("module", "check", "hetzner", "--run", "--provider", "noop", code=2)
    assert "--provider is for platforms" in said.err
    assert (
        "is not of the form NAME=VALUE"
        in rigger("module", "check", "hetzner", "--run", "--set", "X", code=2).err
    )
    rigger("platform", "new", "hello")
    assert (
        "did you mean local" in rigger("module", "check", "hello", "--run", "--provider", "loco", code=2).err
    )
