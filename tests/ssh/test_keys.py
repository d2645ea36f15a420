"""SSH keys of a person: found by their content, made without ever replacing one."""

import os
import stat

import pytest

from rigger.errors import NotReady
from rigger.ssh import keys

PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\n"


def test_private_keys_are_told_by_their_content(tmp_path):
    assert keys.private_keys(str(tmp_path / "none")) == []
    (tmp_path / "id_work").write_text(PRIVATE)
    (tmp_path / "id_work.pub").write_text("ssh-ed25519 AAAA me\n")
    (tmp_path / "config").write_text("Host *\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    assert keys.private_keys(str(tmp_path)) == [str(tmp_path / "id_work")]


def test_a_key_is_made_beside_those_that_are_there(tmp_path):
    (tmp_path / "rigger-ed25519").write_text("mine")
    (tmp_path / "rigger-ed25519-2.pub").write_text("mine")
    path = keys.make("ed25519", str(tmp_path))
    assert path == str(tmp_path / "rigger-ed25519-3")
    assert keys.private_keys(str(tmp_path)) == [path]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert (tmp_path / "rigger-ed25519").read_text() == "mine"


def test_without_ssh_keygen_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotReady) as problem:
        keys.make("ed25519", str(tmp_path / "new"))
    assert "ssh-keygen" in problem.value.message and "OpenSSH" in problem.value.next_step


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotReady, match="file/ssh cannot be made"):
        keys.make("ed25519", str(tmp_path / "file" / "ssh"))
