"""A bundle, written from Python."""

import os

import pytest
from helpers.second_machine import contents, fields
from helpers.without_terminal import Listener, Person

from rigger.bundles import seal
from rigger.bundles.contents import SECRETS
from rigger.errors import BadUsage
from rigger.operations.save import SaveOptions, save
from rigger.operations.values import set_values

TOKEN = "a-secret-token"


@pytest.fixture
def wood(wood):
    set_values(wood, {"TOKEN": TOKEN})
    return wood


def test_a_bundle_and_what_was_left_out(wood, tmp_path):
    heard = Listener()
    saved = save(wood, str(tmp_path), reporter=heard)
    report = saved.as_dict()
    assert os.path.dirname(report["path"]) == str(tmp_path) and report["size"] == os.path.getsize(
        report["path"]
    )
    assert report["redacted"] == ("TOKEN",)
    assert report["head"] == {
        "count": len(wood.audit.records()),
        "hash": fields(report["path"])["audit"]["head"],
    }
    assert saved.last_backup is None and heard.lines == heard.warnings == []
    assert not any(TOKEN.encode() in data for data in contents(report["path"]).values())


@pytest.mark.slow
def test_secrets_that_are_kept_inside(wood, tmp_path):
    (tmp_path / "passphrase").write_text("open sesame\n")
    options = SaveOptions(with_secrets=True, passphrase_file=str(tmp_path / "passphrase"))
    saved = save(wood, str(tmp_path / "wood.rigger"), options)
    sealed = contents(saved.contents.path)[SECRETS]
    assert TOKEN.encode() in seal.decrypt(sealed, passphrase="open sesame") and saved.contents.redacted == ()


@pytest.mark.slow
def test_a_passphrase_is_asked_for_twice(wood, tmp_path):
    person = Person("open", "open")
    path = str(tmp_path / "wood.rigger")
    save(wood, path, SaveOptions(with_secrets=True), consent=person.consent())
    assert TOKEN.encode() in seal.decrypt(contents(path)[SECRETS], passphrase="open")
    with pytest.raises(BadUsage, match="not the same"):
        save(wood, path, SaveOptions(with_secrets=True), consent=Person("open", "close").consent())
    with pytest.raises(BadUsage, match="There is no terminal to ask on"):
        save(wood, path, SaveOptions(with_secrets=True))


@pytest.mark.parametrize("options", [SaveOptions(recipients=("age1x",)), SaveOptions(passphrase_file="x")])
def test_nothing_is_encrypted_without_secrets(wood, tmp_path, options):
    with pytest.raises(BadUsage, match="Nothing would be encrypted"):
        save(wood, str(tmp_path), options)
    assert not [n for n in os.listdir(tmp_path) if n.endswith(".rigger")]


def test_a_folder_that_is_not_there(wood, tmp_path):
    with pytest.raises(BadUsage, match="There is no folder"):
        save(wood, str(tmp_path / "nowhere" / "wood.rigger"))
