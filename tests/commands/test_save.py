"""rigger save"""

import base64
import json
import os
import re
import shlex
import stat
import subprocess
import sys
from urllib.parse import quote

import pexpect
import pytest
from helpers.clusters import ended, wait_for
from helpers.second_machine import TOKEN, contents, fields, forest, git, has, holders, planted, save

from rigger.audit.log import AuditLog
from rigger.bundles import read

GENERATED = "gen3rated-by-a-script"


@pytest.fixture
def cluster(rigger, modules):
    return forest(rigger, modules)


def encodings(secret):
    """Return a secret in the forms that programs write it in, made without rigger's help."""
    raw = secret.encode()
    found = {raw, quote(secret).encode(), quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()}
    found.add(shlex.quote(secret).encode()[1:-1])
    for offset in range(3):
        encoded = base64.b64encode(b"x" * offset + raw)
        found.add(encoded[4 if offset else 0 : -4])
    return found


def test_everything_is_packed(cluster, tmp_path):
    planted(cluster)
    path = save(cluster.rigger, tmp_path)
    files = contents(path)
    assert {"vars", "audit.jsonl", "inventory.json", "manifest.json"} < files.keys()
    assert files["audit.jsonl"].decode() == cluster.content("audit.jsonl")
    assert files["modules/soil/terraform.tfstate"] == b'{"resources": 2}\n'
    assert files["modules/soil/user-data/node-1.yaml"] == b"#cloud-config\n"
    assert json.loads(files["inventory.json"])[0]["name"] == "node-1"
    runs = os.listdir(cluster.file("runs"))
    assert len(runs) == 2
    for run in runs:
        for name in os.listdir(cluster.file("runs", run)):
            assert f"runs/{run}/{name}" in files
    [tested] = os.listdir(cluster.file("tests"))
    assert {f"tests/{tested}/junit.xml", f"tests/{tested}/summary.json"} < files.keys()
    for role, name, verb in (("provider", "soil", "create"), ("platform", "tree", "tests/grows")):
        with open(os.path.join(cluster.folders[role], verb), "rb") as script:
            assert files[f"scripts/{role}/{name}/{verb}"] == script.read()
        assert f"scripts/{role}/{name}/rigger.yml" in files
    records = [json.loads(line) for line in files["audit.jsonl"].splitlines()]
    parameters = {r["step"]: r["parameters"] for r in records if r["event"] == "step-started"}
    assert parameters["create"]["NODES"] == "2" and parameters["deploy"]["COLOUR"] == "green"
    assert parameters["create"]["TOKEN"].startswith("***")


def test_the_manifest_says_what_it_is(cluster, tmp_path):
    planted(cluster)
    said = cluster.rigger("save", "-o", "x.rigger", "--json")
    report = json.loads(said.out)
    manifest = json.loads(contents(tmp_path / "x.rigger")["manifest.json"])
    count = len(cluster.records())
    assert (manifest["format"], manifest["name"], manifest["serial"]) == (1, "wood", count)
    assert manifest["audit"] == {"count": count, "head": cluster.records()[-1]["hash"]}
    assert report["head"] == {"count": count, "hash": manifest["audit"]["head"]}
    assert (manifest["platform"], manifest["provider"], manifest["version"]) == ("tree", "soil", "1.9.0")
    assert manifest["id"] == cluster.rigger("config", "get", "TREE_ID").out.strip()
    assert re.fullmatch("[0-9a-f]{64}", manifest["files"]["vars"]["sha256"])
    assert manifest["files"]["scripts/provider/soil/create"]["mode"] == "0700"
    assert manifest["redacted"] == report["redacted"] == ["TOKEN"]
    assert stat.S_IMODE(os.stat(tmp_path / "x.rigger").st_mode) == 0o600


@pytest.mark.skipif(not has("zstd"), reason="zstd is not installed")
def test_tar_lists_it(cluster, tmp_path):
    cluster.configure()
    path = save(cluster.rigger, tmp_path)
    listed = subprocess.run(["tar", "--zstd", "-tf", path], capture_output=True, text=True, check=True)
    assert listed.stdout.splitlines() == list(contents(path))


def test_the_default_name_and_what_is_said(cluster, tmp_path):
    cluster.configure(env={"RIGGER_TOKEN": TOKEN})
    said = cluster.rigger("save")
    [name] = [name for name in os.listdir(tmp_path) if name.endswith(".rigger")]
    assert re.fullmatch(r"wood-\d{8}T\d{6}\.rigger", name)
    assert f"wood is in {tmp_path}/{name}" in said.out
    last = cluster.records()[-1]
    assert f"head:\n  {last['seq']}:{last['hash']}\n" in said.out
    assert "Secrets left out: TOKEN." in said.out
    assert f"rigger configure --file {name}" in said.out
    assert "No difference" in cluster.rigger("bundle", "diff", name).out


@pytest.mark.slow
def test_no_secret_is_anywhere(cluster, tmp_path):
    cluster.script("provider", "install", f"rigger-save-secrets GENERATED={GENERATED}; echo got {GENERATED}")
    planted(cluster)
    said = cluster.rigger("save", "-o", "x.rigger")
    logged = cluster.rigger("logs", "-v", code=None)
    other = cluster.rigger("save", "-o", "y.rigger", "--json")
    shown = "".join([said.out, said.err, logged.out, logged.err, other.out, other.err]).encode()
    assert "GENERATED, TOKEN" in said.out
    with open(tmp_path / "x.rigger", "rb") as file:
        packed = file.read()
    for secret in (TOKEN, GENERATED):
        unpacked = b"\0".join([*contents(tmp_path / "x.rigger").values()])
        assert holders(secret, cluster.rigger.home) == ["environments/wood/secrets"]
        assert holders(secret, tmp_path / "x.rigger") == []
        for form in encodings(secret):
            assert form not in packed and form not in unpacked and form not in shown
    log = next(
        data for name, data in contents(tmp_path / "x.rigger").items() if name.endswith("02-create.log")
    )
    assert b"log in with ***" in log


def test_a_secret_whose_question_does_not_apply_now_stays_out_too(cluster, modules, tmp_path):
    modules.write(
        "provider",
        "soil",
        """
        questions:
          - {name: NODES, type: integer, default: 2}
          - {name: LOGIN, type: confirm, default: "true"}
          - {name: TOKEN, type: secret, when: "{{ LOGIN == 'true' }}", optional: true}
        """,
    )
    cluster.script("provider", "create", 'echo "$TOKEN" >"$RIGGER_STATE_DIR/login"\n')
    cluster.configure(env={"RIGGER_TOKEN": TOKEN})
    cluster.rigger("provision")
    with open(cluster.file("secrets"), "a") as file:
        file.write("" if "TOKEN" in cluster.content("secrets") else f"export TOKEN={shlex.quote(TOKEN)}\n")
    with open(cluster.file("vars"), "a") as file:
        file.write('export LOGIN="false"\n')
    path = save(cluster.rigger, tmp_path)
    assert "modules/soil/login" not in contents(path)
    assert fields(path)["redacted"] == ["TOKEN"]


def test_state_that_holds_a_secret_is_left_out_and_said(cluster, tmp_path):
    cluster.script("provider", "create", 'printf %s "$TOKEN" | base64 >"$RIGGER_STATE_DIR/state"')
    cluster.configure(env={"RIGGER_TOKEN": TOKEN})
    cluster.rigger("provision")
    said = cluster.rigger("save", "-o", "x.rigger")
    assert "modules/soil/state holds a secret and was left out; --with-secrets" in said.out
    assert "modules/soil/state" not in contents(tmp_path / "x.rigger")
    assert fields(tmp_path / "x.rigger")["left_out"] == ["modules/soil/state"]


def test_a_secret_among_the_vars_is_left_out(cluster, tmp_path):
    cluster.configure("--set", "COMMENT=so it is", env={"RIGGER_TOKEN": TOKEN})
    with open(cluster.file("vars"), "a") as file:
        file.write(f"export NOTE={shlex.quote(TOKEN)}\n")
    said = cluster.rigger("save", "-o", tmp_path / "x.rigger")
    assert "Secrets left out: NOTE, TOKEN." in said.out
    assert b"NOTE" not in contents(tmp_path / "x.rigger")["vars"]


def test_links_in_a_module_are_packed_as_what_they_lead_to(cluster, tmp_path):
    os.symlink("check", os.path.join(cluster.folders["provider"], "audit"))
    os.symlink("/etc/passwd", os.path.join(cluster.folders["provider"], "outside"))
    cluster.configure()
    files = contents(save(cluster.rigger, tmp_path))
    assert files["scripts/provider/soil/audit"] == files["scripts/provider/soil/check"]
    assert "scripts/provider/soil/outside" not in files


def test_what_a_crash_left_of_the_audit_log_is_no_part_of_it(cluster, tmp_path):
    cluster.configure()
    with open(cluster.file("audit.jsonl"), "ab") as file:
        file.write(b'{"seq":2,"ti')
    path = save(cluster.rigger, tmp_path)
    cluster.rigger("bundle", "verify", path)
    assert contents(path)["audit.jsonl"].endswith(b'"}\n')


def test_an_audit_log_that_was_changed_is_not_packed(cluster, tmp_path):
    planted(cluster)
    text = cluster.content("audit.jsonl").replace('"NODES":"2"', '"NODES":"3"', 1)
    with open(cluster.file("audit.jsonl"), "w") as file:
        file.write(text)
    said = cluster.rigger("save", "-o", "x.rigger", code=3)
    assert "hash is wrong" in said.err and "rigger audit" in said.err
    assert not os.path.exists(tmp_path / "x.rigger")


def test_what_a_killed_run_gave_back_is_in_it(cluster, tmp_path):
    cluster.script(
        "provider",
        "create",
        'rigger-save-vars LATE=yes\nrigger-save-secrets HUSH=h1dden-thing\nkill -9 "$PPID"',
    )
    cluster.configure()
    cluster.rigger("provision", code=-9)
    path = save(cluster.rigger, tmp_path)
    assert b'export LATE="yes"' in contents(path)["vars"]
    assert fields(path)["redacted"] == ["HUSH"]
    assert not any(b"h1dden-thing" in data for data in contents(path).values())


def test_a_locked_environment_is_not_saved(cluster):
    cluster.configure()
    cluster.script(
        "provider",
        "create",
        ': >"$RIGGER_STATE_DIR/ready"; while [ ! -e "$RIGGER_STATE_DIR/go" ]; do sleep 0.05; done',
    )
    process = cluster.rigger.start("provision")
    wait_for(lambda: os.path.exists(cluster.file("modules", "soil", "ready")))
    assert "rigger provision" in cluster.rigger("save", "-o", "x.rigger", code=7).err
    open(cluster.file("modules", "soil", "go"), "w").close()
    assert ended(process)[0] == 0


def test_a_place_that_cannot_be_written(cluster, tmp_path):
    cluster.configure()
    (tmp_path / "file").write_text("")
    for place in ("file/x.rigger", "nowhere/x.rigger"):
        assert "There is no folder" in cluster.rigger("save", "-o", tmp_path / place, code=2).err
    (tmp_path / "folder").mkdir()
    cluster.rigger("save", "-o", tmp_path / "folder")
    assert len(os.listdir(tmp_path / "folder")) == 1
    assert "no environment" in cluster.rigger("save", "-e", "none", code=3).err


# Secrets inside


def test_secrets_need_a_passphrase_or_recipients(cluster):
    cluster.configure(env={"RIGGER_TOKEN": TOKEN})
    assert "--passphrase-file" in cluster.rigger("save", "--with-secrets", code=2).err
    assert "--with-secrets" in cluster.rigger("save", "--recipient", "age1x", code=2).err
    assert "is no recipient" in cluster.rigger("save", "--with-secrets", "--recipient", "age1x", code=2).err


@pytest.mark.slow
def test_a_passphrase_is_asked_for_twice(cluster, tmp_path):
    cluster.configure(env={"RIGGER_TOKEN": TOKEN})

    def talk(*answers, code):
        child = pexpect.spawn(
            sys.executable,
            ["-m", "rigger", "save", "--with-secrets", "-o", "x.rigger"],
            env=cluster.rigger.env,
            cwd=str(tmp_path),
            timeout=30,
            dimensions=(30, 100),
        )
        for asked, answer in zip(("passphrase", "same again"), answers, strict=True):
            child.expect(asked)
            child.send(answer + "\r")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == code, child.before
        assert not any(answer.encode() in child.before for answer in answers)

    talk("open sesame", "open simsim", code=2)
    assert not (tmp_path / "x.rigger").exists()
    talk("open sesame", "open sesame", code=0)
    files = contents(tmp_path / "x.rigger")
    assert files["secrets.age"].startswith(b"age-encryption.org/v1\n-> scrypt")
    assert fields(tmp_path / "x.rigger")["redacted"] == []


# Signatures and checkouts


@pytest.mark.skipif(not has("ssh-keygen"), reason="ssh-keygen is not installed")
def test_a_signature(cluster, tmp_path):
    cluster.configure()
    key = str(tmp_path / "key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    path = save(cluster.rigger, tmp_path, "--sign", key)
    assert list(contents(path))[-2:] == ["manifest.json", "manifest.json.sig"]
    print_of = subprocess.run(["ssh-keygen", "-lf", key], capture_output=True, text=True).stdout.split()[1]
    assert (
        f"signed by {print_of}" in cluster.rigger("bundle", "verify", path, "--verify-key", f"{key}.pub").out
    )
    assert "none.pem" in cluster.rigger("save", "-o", "y.rigger", "--sign", "none.pem", code=2).err
    assert not (tmp_path / "y.rigger").exists()


def test_a_checkout_there_is_none_of(cluster):
    cluster.configure()
    assert "has no checkout" in cluster.rigger("save", "--with-checkout", code=2).err


@pytest.mark.skipif(not has("git"), reason="git is not installed")
def test_the_platforms_commit_and_repository(cluster, tmp_path):
    folder = cluster.folders["platform"]
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    cluster.configure()
    path = save(cluster.rigger, tmp_path, "--with-checkout")
    assert fields(path)["commit"] == git(folder, "rev-parse", "HEAD")
    assert contents(path)["checkout.bundle"].startswith(b"# v")
    assert not [name for name in contents(path) if "/.git/" in name]
    assert fields(save(cluster.rigger, tmp_path, name="y.rigger"))["commit"] == fields(path)["commit"]


# Tampering


@pytest.mark.slow
def test_every_change_to_the_audit_log_of_a_bundle_is_detected(cluster, tmp_path):
    """1-byte changes, truncations and reorderings, 1,000 in all, against the chain and the manifest's head."""
    import random

    planted(cluster)
    path = save(cluster.rigger, tmp_path)
    data, audit = contents(path)["audit.jsonl"], fields(path)["audit"]
    head = (audit["count"], audit["head"])
    log = tmp_path / "audit.jsonl"

    def detected(changed):
        log.write_bytes(changed)
        verdict = AuditLog(str(log)).verify(head)
        return bool(verdict.problems) or verdict.count != audit["count"]

    assert not detected(data)
    chance, lines = random.Random(20261120), data.splitlines(keepends=True)
    tried = 0
    for at in chance.sample(range(len(data)), 600):
        byte = chance.randrange(1, 256)
        assert detected(data[:at] + bytes([data[at] ^ byte]) + data[at + 1 :]), (at, byte)
        tried += 1
    for at in chance.sample(range(len(data)), 250):
        assert detected(data[:at]), at
        tried += 1
    while tried < 1000:
        one, other = sorted(chance.sample(range(len(lines)), 2))
        changed = [*lines]
        changed[one], changed[other] = changed[other], changed[one]
        assert detected(b"".join(changed)), (one, other)
        tried += 1
    assert tried == 1000


@pytest.mark.slow
def test_no_partial_bundle_when_saving_is_killed(cluster, tmp_path):
    planted(cluster)
    with open(cluster.file("modules", "soil", "large"), "wb") as file:
        for _ in range(40):
            file.write(os.urandom(1 << 20))
    process = cluster.rigger.start("save", "-o", tmp_path / "x.rigger")
    wait_for(lambda: any(n.endswith(".partial") for n in os.listdir(tmp_path)) or process.poll() is not None)
    process.kill()
    ended(process)
    if (tmp_path / "x.rigger").exists():
        read.verify(str(tmp_path / "x.rigger"))
    save(cluster.rigger, tmp_path)


def test_what_a_bundle_cannot_hold_is_told(cluster, tmp_path):
    cluster.configure()
    state = cluster.file("modules", "soil")
    os.makedirs(os.path.join(state, "box-1"), exist_ok=True)
    os.symlink("/etc/hostname", os.path.join(state, "link"))
    said = cluster.rigger("save", "-o", str(tmp_path / "b.rigger")).out
    assert "cannot be packed: modules/soil/box-1, modules/soil/link" in said
    assert fields(str(tmp_path / "b.rigger"))["not_files"] == ["modules/soil/box-1", "modules/soil/link"]


def test_a_secret_that_is_too_short_to_be_found_is_told(cluster, tmp_path):
    cluster.configure()
    cluster.rigger("config", "set", "TOKEN=abc")
    assert (
        "Too short to be looked for, and perhaps in the bundle as plain text: TOKEN"
        in cluster.rigger("save", "-o", str(tmp_path / "b.rigger")).out
    )
