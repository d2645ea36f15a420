"""What of an environment is packed, and what stays out."""

import base64
import gzip
import itertools
import json
import os
import re

import pytest
from helpers.disks import Faulty, replace_os
from helpers.environments_to_save import ID, TOKEN
from helpers.second_machine import contents, fields

from rigger.bundles.contents import SECRETS, checkout_member, default_path
from rigger.errors import BadUsage, InvalidConfig, NotReady, Refused


def test_the_usual_name_is_never_one_that_is_there(wood, tmp_path):
    path = default_path(wood.environment, str(tmp_path))
    assert re.fullmatch(r"wood-\d{8}T\d{6}\.rigger", os.path.basename(path))
    assert os.path.dirname(path) == str(tmp_path)
    names = set()
    for _ in range(3):
        path = default_path(wood.environment, str(tmp_path))
        assert path not in names
        names.add(path)
        open(path, "w").close()


def test_what_is_packed(wood, tmp_path):
    wood.write("backups/1.backup", "data")
    wood.write("something else", "x")
    os.makedirs(os.path.join(wood.config.provider.folder, "__pycache__"))
    open(os.path.join(wood.config.provider.folder, "__pycache__", "x.pyc"), "w").close()
    saved = wood.save(tmp_path / "b.rigger")
    files = contents(saved.path)
    assert {name for name in files if not name.startswith("scripts/")} == {
        "manifest.json",
        "vars",
        "audit.jsonl",
        "inventory.json",
        "modules/soil/key",
        "runs/1-provision/01-create.log",
    }
    scripts = {name for name in files if name.startswith("scripts/provider/soil/")}
    assert "scripts/provider/soil/lib/common" in scripts and "scripts/provider/soil/rigger.yml" in scripts
    assert not any("__pycache__" in name for name in scripts)
    assert saved.size == os.path.getsize(saved.path) and saved.head == wood.environment.audit.head()
    found = fields(saved.path)
    assert (found["id"], found["version"], found["platform"], found["prefix"]) == (
        ID,
        "1.10.0",
        "tree",
        "TREE",
    )
    assert (
        found["serial"] == found["audit"]["count"] == 1 and found["environment_dir"] == wood.environment.path
    )


def test_a_secret_is_masked_in_logs_and_sets_other_files_apart(wood, tmp_path):
    wood.write("modules/soil/config", f"token = {TOKEN}\n")
    saved = wood.save(tmp_path / "b.rigger")
    files = contents(saved.path)
    assert files["runs/1-provision/01-create.log"] == b"log in with ***\n"
    assert (saved.redacted, saved.left_out) == (("TOKEN",), ("modules/soil/config",))
    assert "modules/soil/config" not in files and not any(TOKEN.encode() in data for data in files.values())


def test_a_secret_is_found_whatever_was_made_of_it(wood, tmp_path):
    state = json.dumps({"user_data": base64.b64encode(gzip.compress(f"token={TOKEN}".encode())).decode()})
    twice = base64.b64encode(base64.b64encode(TOKEN.encode())).decode()
    wood.write("modules/soil/terraform.tfstate", state)
    wood.write("runs/1-provision/02-check.log", f"hex {TOKEN.encode().hex()}, twice {twice}\n")
    wood.write("runs/1-provision/03-check.log", f"state {state}\n")
    saved = wood.save(tmp_path / "b.rigger")
    files = contents(saved.path)
    assert sorted(saved.left_out) == ["modules/soil/terraform.tfstate", "runs/1-provision/03-check.log"]
    assert files["runs/1-provision/02-check.log"].startswith(b"hex ***, twice ***")


def test_what_is_encrypted_has_all_secrets(wood, tmp_path):
    wood.write("modules/soil/config", f"token = {TOKEN}\n", 0o700)
    kept = []
    saved = wood.save(tmp_path / "b.rigger", encrypt=lambda data: kept.append(data) or b"sealed")
    assert contents(saved.path)[SECRETS] == b"sealed"
    assert (saved.redacted, saved.left_out) == ((), ())
    assert TOKEN.encode() in kept[0] and wood.environment.key().hex().encode() in kept[0]
    assert b"modules/soil/config" in kept[0] and b'"mode": 448' in kept[0]


def test_secrets_too_short_to_be_looked_for_are_named(wood, tmp_path):
    """Encrypted or not: what scripts wrote of them lies open in the bundle."""
    wood.environment.save(wood.environment.vars(), {"TOKEN": TOKEN, "PIN": "12"})
    wood.write("runs/1-provision/02-check.log", "pin 12\n")
    saved = wood.save(tmp_path / "b.rigger", encrypt=lambda data: b"sealed")
    assert contents(saved.path)["runs/1-provision/02-check.log"] == b"pin 12\n"
    assert saved.unsearched == ("PIN",)
    assert wood.save(tmp_path / "c.rigger").unsearched == ("PIN",)


def test_vars_that_hold_a_secret_are_secrets(wood, tmp_path):
    url = f"https://x:{TOKEN}@y"
    wood.environment.store.write({**wood.environment.vars(), "URL": url}, {"TOKEN": TOKEN})
    saved = wood.save(tmp_path / "b.rigger")
    assert saved.redacted == ("TOKEN", "URL") and b"URL" not in contents(saved.path)["vars"]
    kept = []
    saved = wood.save(tmp_path / "c.rigger", encrypt=lambda data: kept.append(data) or b"sealed")
    assert json.loads(kept[0])["secrets"] == {"TOKEN": TOKEN, "URL": url}
    assert b"URL" not in contents(saved.path)["vars"]


def test_vars_that_hold_a_secret_in_layers_are_secrets(wood, tmp_path):
    login = base64.b64encode(gzip.compress(f"user:{TOKEN}".encode())).decode()
    wood.environment.store.write({**wood.environment.vars(), "LOGIN": login}, {"TOKEN": TOKEN})
    saved = wood.save(tmp_path / "b.rigger")
    assert saved.redacted == ("LOGIN", "TOKEN") and b"LOGIN" not in contents(saved.path)["vars"]


def test_what_rigger_works_by_holds_no_secret(wood, tmp_path):
    wood.environment.store.write({**wood.environment.vars(), "REF": TOKEN}, {"TOKEN": TOKEN})
    with pytest.raises(Refused, match="vars holds TOKEN as plain text, and cannot be packed") as problem:
        wood.save(tmp_path / "b.rigger")
    assert (
        problem.value.next_step
        == 'Give TOKEN another value ("rigger config set TOKEN=..."), then save again.'
    )
    assert not (tmp_path / "b.rigger").exists()


def test_what_a_killed_step_gave_back_is_set_apart_by_what_it_is(wood, tmp_path):
    run = "runs/1-provision"
    wood.write(f"{run}/02-create.secrets", "FIRST=sw0rd-f1sh\nSECOND<<END\ntorn-in-the-midd")
    wood.write(f"{run}/02-create.vars", "PLAIN=x\nURL=https://sw0rd-f1sh@y\n")
    wood.write(f"{run}/02-create.nodes", '{"name": "node-1"}\n')
    wood.write(f"{run}/02-create.log", "it is sw0rd-f1sh, torn-in-the-midd\n")
    wood.write(f"{run}/.02-create.secrets.0123456789ab.tmp", "THIRD=half-writt")
    wood.write("modules/soil/.state.0123456789ab.tmp", "half-writt")
    wood.write("modules/soil/copy", "sw0rd-f1sh")
    saved = wood.save(tmp_path / "b.rigger")
    files = contents(saved.path)
    assert saved.redacted == ("FIRST", "TOKEN")
    assert sorted(saved.left_out) == [
        "modules/soil/copy",
        f"{run}/02-create.secrets",
        f"{run}/02-create.vars",
    ]
    assert files[f"{run}/02-create.log"] == b"it is ***, ***\n"
    assert f"{run}/02-create.nodes" in files and not any(name.endswith(".tmp") for name in files)
    for secret in (b"sw0rd", b"midd", b"writt"):
        assert not any(secret in data for data in files.values())
    kept = []
    wood.save(tmp_path / "c.rigger", encrypt=lambda data: kept.append(data) or b"sealed")
    assert {*saved.left_out} == json.loads(kept[0])["files"].keys()


def test_what_no_bundle_can_hold_is_told(wood, tmp_path):
    os.makedirs(os.path.join(wood.state, "empty"))
    os.symlink("/etc/passwd", os.path.join(wood.state, "link"))
    os.mkfifo(os.path.join(wood.state, "pipe"))
    saved = wood.save(tmp_path / "b.rigger")
    assert saved.not_files == ("modules/soil/empty", "modules/soil/link", "modules/soil/pipe")


def test_links_among_scripts_come_along_as_long_as_they_stay_there(wood, tmp_path):
    folder = wood.config.provider.folder
    os.symlink("create", os.path.join(folder, "again"))
    os.symlink("/etc/passwd", os.path.join(folder, "out"))
    files = contents(wood.save(tmp_path / "b.rigger").path)
    assert files["scripts/provider/soil/again"] == files["scripts/provider/soil/create"]
    assert "scripts/provider/soil/out" not in files


def test_what_a_crash_left_of_the_last_record_is_left_out(wood, tmp_path):
    with open(wood.environment.audit.path, "rb") as file:
        whole = file.read()
    with open(wood.environment.audit.path, "ab") as file:
        file.write(b'{"seq": 2, "ti')
    assert contents(wood.save(tmp_path / "b.rigger").path)["audit.jsonl"] == whole


def test_a_log_that_was_changed_is_refused(wood, tmp_path):
    wood.happens()
    with open(wood.environment.audit.path, "r+b") as file:
        content = file.read().replace(b"NODES", b"NODEZ", 1)
        file.seek(0)
        file.write(content)
    with pytest.raises(InvalidConfig, match="The audit log of wood is not what was written: ") as problem:
        wood.save(tmp_path / "b.rigger")
    assert "rigger audit" in problem.value.next_step and not (tmp_path / "b.rigger").exists()


def test_a_platform_without_a_repository_has_none_to_add(wood, tmp_path):
    with pytest.raises(BadUsage) as problem:
        checkout_member(wood.environment, wood.config, str(tmp_path))
    assert problem.value.message == "tree of wood has no checkout to add."
    assert problem.value.next_step == "Leave --with-checkout out."


@pytest.mark.parametrize("changes", [2, None], ids=["twice", "always"])
def test_a_file_that_something_writes_to_now_and_then_is_packed_once_it_rests(
    wood, tmp_path, monkeypatch, changes
):
    wood.write("modules/soil/count", "7")
    counted = wood.environment.file("modules", "soil", "count")
    written = itertools.count(1)

    def readv(fd, buffers):
        count = os.readv(fd, buffers)
        if os.readlink(f"/proc/self/fd/{fd}") == counted:
            number = next(written)
            if count and (changes is None or number <= 2 * changes):
                os.utime(counted, ns=(number, number))
        return count

    replace_os(monkeypatch, Faulty(readv=readv))
    path = tmp_path / "b.rigger"
    if changes is None:
        with pytest.raises(NotReady, match="'modules/soil/count' changed while it was read"):
            wood.save(path)
        assert not [name for name in os.listdir(tmp_path) if "rigger" in name]
    else:
        assert contents(wood.save(path).path)["modules/soil/count"] == b"7"
        assert next(written) > 2 * changes
