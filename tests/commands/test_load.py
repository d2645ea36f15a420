"""rigger configure --file BUNDLE"""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys

import pexpect
import pytest
from helpers.clusters import MAKE_NODES, ended, wait_for
from helpers.second_machine import (
    TOKEN,
    contents,
    elsewhere,
    falls,
    fields,
    forest,
    forge,
    git,
    has,
    holders,
    planted,
    save,
    tree,
)

from rigger.audit.log import AuditLog
from rigger.bundles import seal
from rigger.envfile import file as envfile

OUTPUTS = "outputs: [KEY_FILE, LIST]\n"
PASSWORD = {"RIGGER_PASSPHRASE": "open sesame"}


@pytest.fixture
def cluster(rigger, modules):
    return planted(forest(rigger, modules))


@pytest.fixture
def other(cluster, tmp_path):
    return elsewhere(cluster.rigger, tmp_path)


@pytest.fixture
def bundle(cluster, tmp_path):
    return save(cluster.rigger, tmp_path)


def load(other, path, *options, token=TOKEN, **settings):
    env = {**({"RIGGER_TOKEN": token} if token else {}), **settings.pop("env", {})}
    return other("configure", "--file", path, *options, env=env, **settings)


def place(other, *parts, name="wood"):
    return other.path("environments", name, *parts)


def vars_of(other, name="wood"):
    return envfile.read(place(other, "vars", name=name))


def records(other, name="wood"):
    with open(place(other, "audit.jsonl", name=name)) as file:
        return [json.loads(line) for line in file]


def nothing_there(other):
    """Return whether neither an environment nor anything of one was left."""
    return not os.path.isdir(other.path("environments")) or os.listdir(other.path("environments")) == []


# On another machine


@pytest.mark.slow
def test_it_stands_up_under_another_path_for_another_user(cluster, other, bundle):
    said = load(other, bundle)
    here = place(other)
    assert "wood of 20" in said.out and ", verified." in said.out
    assert f"Environment wood was made from {bundle}, and is the current one." in said.out
    assert "Look at it:\n    rigger status\n" in said.out
    found = vars_of(other)
    assert found["KEY_FILE"] == f"{here}/modules/soil/key"
    assert found["LIST"] == f"a:{here},b:{cluster.path}2"
    assert found["PATH"].startswith(f"{here}/bin") and cluster.path not in found["PATH"]
    assert found["TREE_ID"] == cluster.rigger("config", "get", "TREE_ID").out.strip()
    with open(place(other, "inventory.json")) as file:
        assert json.load(file)[0]["ssh"] == {"key": f"{here}/modules/soil/key"}
    before, after = tree(cluster.path), tree(here)
    for name in before:
        if name.startswith(("runs/", "tests/", "modules/")):
            assert after[name] == before[name], name
    assert after["audit.jsonl"].startswith(before["audit.jsonl"])
    assert os.listdir(other.path("environments")) == ["wood"]
    assert not {"manifest.json", "secrets.age", "trusted", "checkout.bundle"} & set(os.listdir(here))
    assert all(os.stat(os.path.join(p)).st_mode & 0o077 == 0 for p in (here, place(other, "vars")))


@pytest.mark.slow
def test_it_works_there_as_on_the_machine_that_saved_it(cluster, other, bundle):
    load(other, bundle)
    assert json.loads(other("status", "-o", "json").out)["state"] == "deployed"
    assert "unbroken" in other("audit").out
    assert json.loads(other("provision", "--plan", "-o", "json").out)["changes"] is False
    other("provision", "--plan", "--exit-code")
    other("provision")
    assert cluster.ran() == ["provider/check", "platform/check"]
    other("test", "smoke")
    other("upgrade", "--version", "1.10.0", "--upgrade-style", "graceful")
    other("destroy", "--yes")
    assert cluster.ran()[-2:] == ["platform/undeploy", "provider/destroy"]
    assert len(other("history", "-o", "json").out) > len(cluster.rigger("history", "-o", "json").out)


@pytest.mark.slow
def test_another_token_is_a_change_that_provision_makes(other, bundle):
    load(other, bundle, token="an0ther-token")
    assert "TOKEN" not in other("status").out  # what is here counts as what the steps had
    other("config", "set", "TOKEN=a-th1rd-token")
    assert "TOKEN is new" in other("provision", "--plan").out


@pytest.mark.slow
def test_secrets_are_nowhere_but_among_the_secrets(cluster, other, bundle):
    said = load(other, bundle)
    assert holders(TOKEN, other.home) == ["environments/wood/secrets"]
    assert TOKEN not in said.out + said.err


@pytest.mark.slow
def test_missing_secrets_are_listed_before_anything_is_written(other, bundle):
    said = load(other, bundle, "--no-input", token=None, code=0)
    assert "TOKEN" not in envfile.read(place(other, "secrets"))  # it is optional here
    assert "made from" in said.out


@pytest.mark.slow
def test_a_secret_that_is_needed(cluster, modules, other, tmp_path):
    modules.write("provider", "soil", "questions:\n  - {name: TOKEN, type: secret}\n" + OUTPUTS)
    cluster.script("provider", "install", "rigger-save-secrets ROOT_KEY=r00t-key-value")
    cluster.rigger("provision", "--again")
    path = save(cluster.rigger, tmp_path)
    said = load(other, path, token=None, code=2)
    assert "2 values are missing" in said.err
    assert "--set TOKEN=" in said.err and "--set ROOT_KEY=" in said.err
    assert nothing_there(other)
    load(other, path, "--set", "ROOT_KEY=r00t-key-value")
    assert envfile.read(place(other, "secrets")) == {"TOKEN": TOKEN, "ROOT_KEY": "r00t-key-value"}
    assert json.loads(other("provision", "--plan", "-o", "json").out)["changes"] is False


def talk(other, path, *options):
    return pexpect.spawn(
        sys.executable,
        ["-m", "rigger", "configure", "--file", path, *options],
        env=other.env,
        cwd=other.folder,
        timeout=30,
        dimensions=(30, 120),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(child, code):
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code, child.before


@pytest.mark.slow
def test_only_missing_secrets_are_asked(cluster, modules, other, tmp_path):
    modules.write(
        "provider",
        "soil",
        "questions:\n  - {name: TOKEN, ask: Which token?, type: secret}\n  - {name: NODES, default: 2}\n"
        + OUTPUTS,
    )
    cluster.script("provider", "install", "rigger-save-secrets ROOT_KEY=r00t-key-value")
    cluster.rigger("provision", "--again")
    child = talk(other, save(cluster.rigger, tmp_path))
    child.expect("Which token")
    child.send(TOKEN + "\r")
    child.expect("ROOT_KEY")
    child.send("r00t-key-value\r")
    child.expect("Look at it:")
    assert b"How many" not in child.before and TOKEN.encode() not in child.before
    finish(child, 0)
    assert envfile.read(place(other, "secrets")) == {"TOKEN": TOKEN, "ROOT_KEY": "r00t-key-value"}


@pytest.mark.slow
def test_ctrl_c_at_a_question_leaves_no_environment(cluster, modules, other, tmp_path):
    modules.write(
        "provider", "soil", "questions:\n  - {name: TOKEN, ask: Which token?, type: secret}\n" + OUTPUTS
    )
    child = talk(other, save(cluster.rigger, tmp_path))
    child.expect("Which token")
    child.send("\x03")
    finish(child, 130)
    assert nothing_there(other)


@pytest.mark.slow
def test_a_name_of_its_own_and_a_name_that_is_taken(cluster, modules, other, bundle):
    other("configure", "--defaults", "--name", "wood", "--platform", "noop", "--provider", "noop")
    before = tree(place(other))
    refused = load(other, bundle, code=2)
    assert "wood is another cluster" in refused.err and "--name NAME" in refused.err
    assert tree(place(other)) == before
    load(other, bundle, "--name", "copse")
    assert other("config", "get", "TREE_ID").out == cluster.rigger("config", "get", "TREE_ID").out
    assert vars_of(other, "copse")["KEY_FILE"] == f"{place(other, name='copse')}/modules/soil/key"
    assert "cannot be thicket too" in load(other, bundle, "--name", "thicket", code=2).err
    assert sorted(os.listdir(other.path("environments"))) == ["copse", "wood"]


@pytest.mark.slow
def test_what_the_cluster_is_made_of_cannot_be_changed_on_the_way(other, bundle):
    assert "cannot change while it exists" in load(other, bundle, "--provider", "noop", code=2).err
    assert nothing_there(other)


@pytest.mark.slow
def test_a_bundle_that_does_not_exist_or_is_none(other, tmp_path):
    assert "cannot be read" in load(other, "none.rigger", code=2).err
    (tmp_path / "x.rigger").write_bytes(b"\x28\xb5\x2f\xfd" + b"garbage" * 9)
    assert "refused" in load(other, tmp_path / "x.rigger", code=9).err
    assert nothing_there(other)


# Updates


@pytest.mark.slow
def test_an_update_shows_the_difference_and_keeps_what_belongs_to_the_machine(
    cluster, other, bundle, tmp_path
):
    load(other, bundle)
    for folder in ("bin", "backups", "saved"):
        os.makedirs(place(other, folder), exist_ok=True)
        with open(place(other, folder, "mine"), "w") as file:
            file.write(folder)
    with open(place(other, "key"), "rb") as file:
        key = file.read()
    cluster.rigger("config", "set", "COLOUR=red")
    cluster.rigger("provision")
    cluster.ran()
    said = load(other, save(cluster.rigger, tmp_path, name="newer.rigger"), token=None)
    assert "COLOUR: (unset) -> red" in said.out
    assert f"records -> {len(cluster.records())}" in said.out
    assert "is up to date with" in said.out
    found = tree(place(other))
    assert [found[f"{folder}/mine"].decode() for folder in ("bin", "backups", "saved")] == [
        "bin",
        "backups",
        "saved",
    ]
    assert found["key"] == key
    assert envfile.read(place(other, "secrets")) == {"TOKEN": TOKEN}
    assert json.loads(other("provision", "--plan", "-o", "json").out)["changes"] is False
    assert os.listdir(other.path("environments")) == ["wood"]


@pytest.mark.slow
def test_values_that_are_gone_from_the_bundle_are_gone_here(cluster, other, tmp_path):
    cluster.rigger("config", "set", "COLOUR=red")
    load(other, save(cluster.rigger, tmp_path))
    cluster.rigger("config", "unset", "COLOUR")
    said = load(other, save(cluster.rigger, tmp_path, name="newer.rigger"))
    assert "COLOUR: red -> (unset)" in said.out
    assert other("config", "get", "COLOUR").out == "green\n"


@pytest.mark.slow
def test_the_same_bundle_twice(other, bundle):
    load(other, bundle)
    before = vars_of(other)
    load(other, bundle, token=None)
    assert vars_of(other) == before
    assert [record["event"] for record in records(other)].count("loaded") == 1
    assert envfile.read(place(other, "secrets")) == {"TOKEN": TOKEN}


@pytest.mark.slow
def test_there_and_back_again(cluster, other, bundle, tmp_path):
    load(other, bundle)
    other("config", "set", "COLOUR=red")
    other("provision")
    load(cluster.rigger, save(other, tmp_path, name="back.rigger"), token=None)
    assert cluster.rigger("config", "get", "COLOUR").out == "red\n"
    assert envfile.read(cluster.file("vars"))["KEY_FILE"] == cluster.file("modules", "soil", "key")
    assert cluster.plan()["changes"] is False


@pytest.mark.slow
def test_an_older_one_is_refused(cluster, other, bundle, tmp_path):
    cluster.rigger("config", "set", "COLOUR=red")
    load(other, save(cluster.rigger, tmp_path, name="newer.rigger"))
    before = tree(place(other))
    refused = load(other, bundle, code=9)
    serial = fields(bundle)["serial"]
    assert f"is older (serial {serial}) than what is here of wood (serial {serial + 1})" in refused.err
    assert "--allow-older" in refused.err
    assert tree(place(other)) == before
    load(other, bundle, "--allow-older")
    assert "COLOUR" not in vars_of(other)


@pytest.mark.slow
def test_one_that_went_another_way_is_refused(cluster, other, bundle, tmp_path):
    load(other, bundle)
    other("config", "set", "COLOUR=blue")
    for number in range(3):
        cluster.rigger("config", "set", f"NODES={number + 3}")
    newer = save(cluster.rigger, tmp_path, name="newer.rigger")
    before = tree(place(other))
    assert "have gone different ways" in load(other, newer, code=9).err
    assert tree(place(other)) == before
    load(other, newer, "--allow-older")
    assert vars_of(other)["NODES"] == "5"


@pytest.mark.slow
def test_a_locked_environment_is_left_alone(cluster, other, bundle):
    load(other, bundle)
    cluster.script(
        "platform",
        "check",
        ': >"$RIGGER_STATE_DIR/ready"; while [ ! -e "$RIGGER_STATE_DIR/go" ]; do sleep 0.05; done',
    )
    process = other.start("check")
    try:
        wait_for(lambda: os.path.exists(place(other, "modules", "tree", "ready")))
        refused = load(other, bundle, "--allow-older", code=7)
        assert '"rigger check"' in refused.err
    finally:
        open(place(other, "modules", "tree", "go"), "w").close()
        code, said = ended(process)
    assert code == 0, said
    assert os.listdir(other.path("environments")) == ["wood"]


@pytest.mark.slow
def test_an_environment_that_changes_meanwhile_is_left_alone(cluster, other, bundle, tmp_path):
    load(other, bundle)
    child = talk(other, save(cluster.rigger, tmp_path, "--with-secrets", name="secret.rigger", env=PASSWORD))
    child.expect("passphrase of its secrets")
    other("config", "set", "COLOUR=blue")
    child.send("open sesame\r")
    child.expect("wood was changed meanwhile")
    finish(child, 7)
    assert other("config", "get", "COLOUR").out == "blue\n"


# Secrets inside


@pytest.mark.slow
def test_secrets_and_state_that_holds_them_come_along_encrypted(cluster, other, tmp_path):
    cluster.script(
        "provider",
        "check",
        'printf "%s" "$TOKEN" >"$RIGGER_STATE_DIR/login"; chmod 700 "$RIGGER_STATE_DIR/login"',
    )
    cluster.rigger("check")
    path = save(cluster.rigger, tmp_path, "--with-secrets", env=PASSWORD)
    assert holders(TOKEN, tmp_path) == [] and not any(
        TOKEN.encode() in data for data in contents(path).values()
    )
    assert "There is no terminal to ask on" in load(other, path, token=None, code=2).err
    wrong = load(other, path, token=None, env={"RIGGER_PASSPHRASE": "open simsim"}, code=2)
    assert "does not decrypt" in wrong.err
    assert nothing_there(other)
    load(other, path, "--trust", token=None, env=PASSWORD)
    assert envfile.read(place(other, "secrets")) == {"TOKEN": TOKEN}
    assert tree(place(other))["modules/soil/login"].decode() == TOKEN
    assert json.loads(other("provision", "--plan", "-o", "json").out)["changes"] is False
    other("config", "set", "TOKEN=a-third-t0ken")
    assert "TOKEN is new" in other("provision", "--plan").out


@pytest.mark.slow
def test_a_passphrase_from_a_file_or_a_person(cluster, other, tmp_path):
    (tmp_path / "pass").write_text("open sesame\n")
    path = save(cluster.rigger, tmp_path, "--with-secrets", "--passphrase-file", tmp_path / "pass")
    load(other, path, "--passphrase-file", tmp_path / "pass", token=None)
    third = elsewhere(cluster.rigger, tmp_path, "mallory")
    child = talk(third, path)
    child.expect("passphrase of its secrets")
    child.send("open sesame\r")
    child.expect("Look at it:")
    finish(child, 0)
    assert envfile.read(place(third, "secrets")) == {"TOKEN": TOKEN}


@pytest.mark.slow
def test_recipients(cluster, other, tmp_path):
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "identity").write_text(f"{identity}\n")
    (tmp_path / "stranger").write_text(f"{pyrage.x25519.Identity.generate()}\n")
    path = save(cluster.rigger, tmp_path, "--with-secrets", "--recipient", identity.to_public())
    assert "--identity" in load(other, path, token=None, code=2).err
    assert (
        "None of the keys" in load(other, path, "--identity", tmp_path / "stranger", token=None, code=2).err
    )
    assert nothing_there(other)
    load(other, path, "--identity", tmp_path / "identity", token=None)
    assert envfile.read(place(other, "secrets")) == {"TOKEN": TOKEN}


@pytest.mark.slow
def test_state_that_was_left_out_is_told_of_and_kept_where_it_is(cluster, other, tmp_path):
    cluster.script("provider", "check", 'printf "%s" "$TOKEN" >"$RIGGER_STATE_DIR/login"')
    cluster.rigger("check")
    path = save(cluster.rigger, tmp_path)
    assert "modules/soil/login was left out when it was saved" in load(other, path).out
    said = load(cluster.rigger, path, token=None)
    assert "was left out" not in said.out
    assert cluster.content("modules", "soil", "login") == TOKEN


# Signatures


@pytest.mark.slow
@pytest.mark.skipif(not has("ssh-keygen"), reason="ssh-keygen is not installed")
def test_a_secret_that_a_step_gave_stays_an_output_wherever_it_is_loaded(cluster, other, tmp_path):
    cluster.script("provider", "create", MAKE_NODES + 'rigger-save-vars LOGIN="https://me:$TOKEN@soil"')
    cluster.rigger("provision", "--again", "--yes")
    load(other, save(cluster.rigger, tmp_path), "--set", f"LOGIN=https://me:{TOKEN}@soil")
    assert "from scripts" in line_of(other, "LOGIN") and "set" in line_of(other, "TOKEN")
    cluster.rigger("configure", "--file", save(other, tmp_path, name="back.rigger"))
    assert "from scripts" in line_of(cluster.rigger, "LOGIN")
    for who in (other, cluster.rigger):
        who("destroy", "--yes", "--take-over")
        assert not line_of(who, "LOGIN") and "set" in line_of(who, "TOKEN")


def line_of(rigger, name):
    """Return what `config get` says of a value, nothing where there is none."""
    lines = rigger("config", "get").out.splitlines()
    return next((line for line in lines if line.split()[:1] == [name]), "")


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--with-secrets",)])
def test_state_that_was_left_out_survives_the_way_there_and_back(cluster, other, tmp_path, options):
    state = os.path.join(cluster.path, "modules", "soil", "terraform.tfstate")
    with open(state, "w") as file:
        file.write(f'{{"token": {json.dumps(TOKEN)}}}')
    load(other, save(cluster.rigger, tmp_path))
    other("config", "set", "COLOUR=blue")
    other("provision")
    path = save(other, tmp_path, *options, name="back.rigger", env=PASSWORD)
    assert "modules/soil/terraform.tfstate" in fields(path)["left_out"]
    third = elsewhere(other, tmp_path, user="dan")
    load(third, path, env=PASSWORD)
    path = save(third, tmp_path, name="third.rigger")
    cluster.rigger("configure", "--file", path)
    with open(state) as file:
        assert json.load(file) == {"token": TOKEN}
    assert (
        fields(save(cluster.rigger, tmp_path, "--with-secrets", name="all.rigger", env=PASSWORD))["left_out"]
        == []
    )


@pytest.mark.slow
def test_what_never_came_is_told_of_when_it_is_saved_until_the_cluster_is_gone(cluster, other, tmp_path):
    with open(os.path.join(cluster.path, "modules", "soil", "config"), "w") as file:
        file.write(f"token = {TOKEN}\n")
    load(other, save(cluster.rigger, tmp_path))
    assert "modules/soil/config never came here" in other("save", "-o", str(tmp_path / "a.rigger")).out
    other("destroy", "--yes")
    assert "never came here" not in other("save", "-o", str(tmp_path / "b.rigger")).out


@pytest.mark.slow
def test_signatures(cluster, other, bundle, tmp_path):
    for name in ("key", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    assert "is not signed" in load(other, bundle, "--verify-key", tmp_path / "key.pub", code=9).err
    path = save(cluster.rigger, tmp_path, "--sign", tmp_path / "key", name="signed.rigger")
    assert (
        "signature is not valid" in load(other, path, "--verify-key", tmp_path / "stranger.pub", code=9).err
    )
    assert nothing_there(other)
    assert "signed by SHA256:" in load(other, path, "--verify-key", tmp_path / "key.pub").out


# Killed


@pytest.mark.slow
def test_killed_at_any_change_there_is_no_half_environment(cluster, other, tmp_path):
    """First as a new environment, then as an update: what is there is whole, and what was there is kept."""
    first = save(cluster.rigger, tmp_path)
    cluster.rigger("config", "set", "COLOUR=red")
    second = save(cluster.rigger, tmp_path, name="second.rigger")
    other.env["RIGGER_TOKEN"] = TOKEN
    number, appeared = 0, False
    while not falls(other, number := number + 1, "configure", "--file", first):
        assert not appeared or whole(other), number
        appeared = os.path.isdir(place(other))
        assert appeared or not other("list", "-o", "json", code=None).out.count('"wood"')
    assert appeared and whole(other)
    for folder in ("backups", "bin"):
        os.makedirs(place(other, folder), exist_ok=True)
        open(place(other, folder, "mine"), "w").close()
    number, colours = 0, []
    while not falls(other, number := number + 1, "configure", "--file", second):
        assert whole(other), number
        assert os.path.exists(place(other, "backups", "mine")) and os.path.exists(place(other, "bin", "mine"))
        colours.append(vars_of(other).get("COLOUR"))
        if colours.count("red") > 3:  # it has changed places; what follows only removes what was
            break
    assert colours[0] is None and colours[-1] == "red"
    assert envfile.read(place(other, "secrets")) == {"TOKEN": TOKEN}


def whole(other) -> bool:
    """Return whether the environment is complete, without a command: there are many of these."""
    found = tree(place(other))
    count = len(found["audit.jsonl"].splitlines())
    verdict = AuditLog(place(other, "audit.jsonl")).verify()
    return (
        {"vars", "secrets", "inventory.json", "inventory.tsv", "modules/soil/terraform.tfstate"}
        <= found.keys()
        and TOKEN in envfile.read(place(other, "secrets")).values()
        and verdict.ok
        and verdict.count == count
        and json.loads(found["audit.jsonl"].splitlines()[-1])["event"] == "loaded"
    )


@pytest.mark.slow
def test_what_killed_loads_left_is_swept(other, bundle):
    left, fresh = (other.path("environments", f".load-{digit * 16}") for digit in "ab")
    for folder in (left, fresh):
        os.makedirs(os.path.join(folder, "bundle"))
    os.utime(left, (1, 1))
    load(other, bundle)
    assert not os.path.exists(left)
    assert os.path.exists(fresh)  # somebody may be at work on it


@pytest.mark.slow
def test_ctrl_c_while_it_is_unpacked(cluster, other, tmp_path):
    with open(cluster.file("modules", "soil", "large"), "wb") as file:
        file.write(os.urandom(60 << 20))
    process = other.start("configure", "--file", save(cluster.rigger, tmp_path))
    environments = other.path("environments")
    wait_for(
        lambda: os.path.isdir(environments) and any(n.startswith(".load-") for n in os.listdir(environments))
    )
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 130 and "Interrupted" in said
    assert nothing_there(other)


# Scripts that come along


@pytest.fixture
def alone(cluster, other, bundle):
    """A machine that does not know the provider."""
    shutil.copytree(
        os.path.join(cluster.modules.folder, "platforms"), os.path.join(other.folder, "platforms")
    )
    other.env.update(RIGGER_PLATFORM_PATH=os.path.join(other.folder, "platforms"))
    del other.env["RIGGER_PROVIDER_PATH"]
    return other


def test_unknown_scripts_need_consent(alone, bundle):
    refused = load(alone, bundle, code=2)
    assert "does not know soil; these scripts came in the bundle" in refused.out
    assert "provider/soil/create" in refused.out and "--trust" in refused.err
    import hashlib

    assert hashlib.sha256(contents(bundle)["scripts/provider/soil/create"]).hexdigest() in refused.out
    assert "platform/tree" not in refused.out
    assert nothing_there(alone)


@pytest.mark.slow
def test_scripts_of_the_bundle_are_named_by_where_they_will_be(alone, bundle):
    said = load(alone, bundle, "--trust").out
    assert (
        f"PROVIDER is {place(alone, 'scripts', 'provider', 'soil')}: its scripts come in the bundle" in said
    )
    assert said.count("PROVIDER is") == 1 and ".load-" not in said


@pytest.mark.slow
def test_the_same_bundle_again_is_no_loss(cluster, other, bundle):
    load(other, bundle)
    said = load(other, bundle).out
    assert f"audit log: {len(cluster.records())} records, the same as here" in said and "->" not in said


@pytest.mark.slow
def test_consent_is_given_once(cluster, alone, bundle, tmp_path):
    load(alone, bundle, "--trust")
    assert vars_of(alone)["PROVIDER"] == place(alone, "scripts", "provider", "soil")
    alone("provision", "--again")
    assert "provider/create" in cluster.ran()
    load(alone, save(alone, tmp_path, name="again.rigger"))
    alone("check")
    cluster.script("provider", "check", "echo changed")
    cluster.rigger("check")
    newer = save(cluster.rigger, tmp_path, name="newer.rigger")
    assert "--trust" in load(alone, newer, "--allow-older", code=2).err
    load(alone, newer, "--allow-older", "--trust")
    alone("check")


@pytest.mark.slow
def test_consent_on_a_terminal(alone, bundle):
    alone.env["RIGGER_TOKEN"] = TOKEN
    for answer, code in (("n", 10), ("y", 0)):
        child = talk(alone, bundle)
        child.expect("provider/soil/create")
        child.expect("May they run on this machine")
        child.send(answer)
        finish(child, code)
        assert nothing_there(alone) == (code != 0)
        told = child.before.count(b"PROVIDER is ")  # and not a second time, by its place of now
        assert told == (code == 0)
    alone("check")


@pytest.mark.slow
def test_scripts_that_change_afterwards_do_not_run(cluster, alone, bundle):
    load(alone, bundle, "--trust")
    with open(place(alone, "scripts", "provider", "soil", "check"), "a") as file:
        file.write("echo more\n")
    cluster.ran()
    for command in (["provision"], ["check"], ["test", "smoke"], ["destroy", "--yes"]):
        assert "not the ones that somebody agreed to" in alone(*command, code=2).err
    assert cluster.ran() == []
    load(alone, bundle, "--allow-older")
    alone("check")


@pytest.mark.slow
def test_python_that_changes_afterwards_does_not_run(cluster, alone, tmp_path):
    lib = os.path.join(cluster.folders["provider"], "lib")
    os.mkdir(lib)
    with open(os.path.join(lib, "make.py"), "w") as file:
        file.write("print('made')\n")
    load(alone, save(cluster.rigger, tmp_path, name="python.rigger"), "--trust")
    alone("check")
    with open(place(alone, "scripts", "provider", "soil", "lib", "make.py"), "w") as file:
        file.write("print('mode')\n")
    assert "not the ones that somebody agreed to" in alone("provision", code=2).err


@pytest.mark.slow
def test_scripts_go_home_to_the_module_they_came_from(cluster, alone, bundle, tmp_path):
    load(alone, bundle, "--trust")
    alone("config", "set", "COLOUR=red")
    load(cluster.rigger, save(alone, tmp_path, name="back.rigger"))
    assert cluster.rigger("config", "get", "PROVIDER").out == "soil\n"


@pytest.mark.slow
def test_programs_among_the_state_need_consent_too(cluster, other, tmp_path):
    cluster.script(
        "provider",
        "check",
        'printf "#!/bin/sh\\n" >"$RIGGER_STATE_DIR/tool"; chmod 755 "$RIGGER_STATE_DIR/tool"',
    )
    cluster.rigger("check")
    path = save(cluster.rigger, tmp_path)
    refused = load(other, path, code=2)
    assert "modules/soil/tool" in refused.out and "--trust" in refused.err
    load(other, path, "--trust")
    load(other, path)


# The checkout


@pytest.mark.slow
@pytest.mark.skipif(not has("git"), reason="git is not installed")
def test_the_checkout_is_there_again(cluster, other, tmp_path):
    source = str(tmp_path / "source")
    os.mkdir(source)
    git(source, "init", "-q", "-b", "main")
    for number in (1, 2):
        with open(os.path.join(source, "number"), "w") as file:
            file.write(str(number))
        git(source, "add", ".")
        git(source, "commit", "-q", "-m", f"number {number}")
        git(source, "tag", f"v{number}")
    git(source, "checkout", "-q", "v1")
    with open(cluster.file("vars"), "a") as file:
        file.write(f'export TREE_ROOT="{source}"\n')
    path = save(cluster.rigger, tmp_path, "--with-checkout")
    commit = git(source, "rev-parse", "HEAD")
    shutil.rmtree(source)
    load(other, path)
    root = vars_of(other)["TREE_ROOT"]
    assert root == place(other, "checkout")
    assert git(root, "rev-parse", "HEAD") == commit and git(root, "status", "--porcelain") == ""
    assert git(root, "tag").split() == ["v1", "v2"] and git(root, "branch", "--list", "main")
    assert not os.path.exists(place(other, "checkout.bundle"))
    load(other, save(other, tmp_path, name="without.rigger"))
    assert git(root, "rev-parse", "HEAD") == commit


# Hostile contents behind a valid manifest


def record(**changes):
    return lambda files: {"audit.jsonl": changed_log(files["audit.jsonl"], changes)}


def changed_log(data, changes):
    """Return an audit log whose chain is right but whose step-started records say something else."""
    import hashlib

    previous, lines = "0" * 64, []
    for line in data.splitlines():
        found = json.loads(line)
        if found["event"] == "step-started":
            found.update(changes)
        found.pop("hash")
        found["prev"] = previous
        body = json.dumps(found, ensure_ascii=True, separators=(",", ":")).encode()
        previous = hashlib.sha256(body).hexdigest()
        lines.append(body[:-1] + b',"hash":"' + previous.encode() + b'"}\n')
    return b"".join(lines)


def head_of(data):
    return {"count": len(data.splitlines()), "head": json.loads(data.splitlines()[-1])["hash"]}


FIELDS = {
    "name": [None, 7, "../x", "", ".load", "a\nb", ["wood"]],
    "id": [None, "", 1, "../../x", "other", {}],
    "prefix": [None, "PATH=", "TREE; rm", ["TREE"], "OTHER"],
    "serial": [None, "9", -1, True, 10**18, 2.5],
    "audit": [None, [], {}, {"count": "9", "head": 3}, {"count": 10**9, "head": "0" * 64}],
    "environment_dir": [None, "", "/", "relative", "/a/../b", 4, ["/x"]],
    "path_folders": [None, "bin", [1], ["../x"], ["/bin"], ["bin:/tmp/evil"], ["bin\n"], [""], {"bin": 1}],
    "redacted": [None, "TOKEN", [1], ["LD_PRELOAD"], ["A B"]],
    "left_out": [None, "x", ["../../x"], ["trusted"], [None]],
    "provider": [None, "../x", "", "SOIL", 3],
    "platform": [None, "/etc", "tree/..", []],
    "created": [None, "\x1b]0;owned\x07", "x" * 500],
    "commit": [None, "--upload-pack=x\n", 5],
    "version": [None, ["1"], "1\x1b[2J"],
}


@pytest.mark.slow
def test_hostile_fields_of_the_manifest(other, bundle, tmp_path):
    for name, values in FIELDS.items():
        for value in values:
            forged = forge(bundle, str(tmp_path / "forged.rigger"), {name: value})
            for said in (load(other, forged, code=9), other("bundle", "inspect", forged)):
                assert "\x1b" not in said.out + said.err
                assert len(said.err.splitlines()) <= 2, said
            assert nothing_there(other), (name, value)
        other("bundle", "verify", forged, code=9)


FILES = {
    "trusted": b"0" * 64,
    "secrets": b'export TOKEN="x"\n',
    "key": b"k" * 32,
    "lock": b"",
    "bin/etcdctl": b"#!/bin/sh\n",
    "saved/x.rigger": b"",
    "checkout/.git/hooks/post-checkout": b"#!/bin/sh\n",
    "scripts/provider/other/rigger.yml": b"",
    "scripts/provider/soil/__pycache__/x.pyc": b"",
    "scripts/rigger.yml": b"",
    "modules": b"",
    "runs": b"",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_files_that_have_no_place_in_a_bundle(other, bundle, tmp_path, name):
    drop = {n: None for n in contents(bundle) if n.startswith(f"{name}/")}
    forged = forge(bundle, str(tmp_path / "forged.rigger"), change_files={**drop, name: FILES[name]})
    assert "has no place in it" in load(other, forged, code=9).err
    assert nothing_there(other)


VARS = {
    "LD_PRELOAD=/tmp/x": 9,
    "GIT_SSH_COMMAND=evil": 9,
    "PS4='$(touch x)'": 9,
    "X=$(touch x)": 9,
    "rm -rf x": 9,
    "PROVIDER=./relative/soil": 9,
    "PROVIDER=": 9,
    "TREE_ID=other": 9,
    "PROVIDER=no-such-thing": 9,
    "PLATFORM=noop": 0,  # the record in the bundle says which it is
}


@pytest.mark.slow
@pytest.mark.parametrize("line", VARS)
def test_hostile_vars(other, bundle, tmp_path, line):
    name = line.partition("=")[0]
    kept = [
        text
        for text in contents(bundle)["vars"].decode().splitlines()
        if not text.startswith(f"export {name}=")
    ]
    forged = forge(
        bundle, str(tmp_path / "f.rigger"), change_files={"vars": "\n".join([*kept, line, ""]).encode()}
    )
    said = load(other, forged, "--trust", code=None)
    assert said.code == VARS[line] or (line.endswith("no-such-thing") and said.code in (0, 2)), said
    assert len([text for text in said.err.splitlines() if not text.startswith("  ")]) <= 1
    if said.code:
        assert nothing_there(other)
    elif name == "PLATFORM":
        assert os.path.basename(vars_of(other)["PLATFORM"]) == "tree"


NODES = [
    b"not json",
    b"{}",
    b"[7]",
    b'[{"name": "../x", "address": "10.0.0.1"}]',
    b'[{"name": "n", "address": "-oProxyCommand=evil"}]',
    b'[{"name": "n", "address": "1.1.1.1", "ssh": {"user": "-l"}}]',
    b'[{"name": "n", "address": "1.1.1.1", "ssh": [1]}]',
    b"[" * 5000,
]


@pytest.mark.slow
@pytest.mark.parametrize("nodes", NODES, ids=range(len(NODES)))
def test_hostile_inventory(other, bundle, tmp_path, nodes):
    forged = forge(bundle, str(tmp_path / "f.rigger"), change_files={"inventory.json": nodes})
    for said in (load(other, forged, code=9), other("bundle", "verify", forged, code=9)):
        assert "inventory" in said.err and len(said.err.splitlines()) <= 2
    assert nothing_there(other)


RECORDS = [
    {"run": "../../.."},
    {"run": 7},
    {"step": "../../x"},
    {"module": "provider/../x"},
    {"module": None},
    {"number": "1"},
    {"parameters": []},
    {"parameters": {"NODES": 3}},
    {"log": "../../../etc/passwd"},
    {"time": "yesterday"},
    {"script": "\x1b[2J"},
    {"event": "a b"},
]


@pytest.mark.slow
@pytest.mark.parametrize("changes", RECORDS, ids=str)
def test_hostile_records(other, bundle, tmp_path, changes):
    log = changed_log(contents(bundle)["audit.jsonl"], changes)
    forged = forge(bundle, str(tmp_path / "f.rigger"), {"audit": head_of(log)}, {"audit.jsonl": log})
    said = load(other, forged, code=9)
    assert "audit log" in said.err and "\x1b" not in said.err
    assert nothing_there(other)


@pytest.mark.slow
def test_a_log_that_is_longer_or_shorter_than_its_head(other, bundle, tmp_path):
    log = contents(bundle)["audit.jsonl"]
    shorter = b"".join(log.splitlines(keepends=True)[:-1])
    for change_fields, data in (
        ({}, shorter),
        ({"audit": head_of(shorter), "serial": head_of(shorter)["count"]}, log),
    ):
        forged = forge(bundle, str(tmp_path / "f.rigger"), change_fields, {"audit.jsonl": data})
        assert "audit log" in load(other, forged, code=9).err
        assert "audit log" in other("bundle", "verify", forged, code=9).err
        assert nothing_there(other)


def sealed(files=None, **changes):
    encoded = {
        name: {"mode": 0o600, "data": base64.b64encode(data).decode()} for name, data in (files or {}).items()
    }
    found = {"secrets": {}, "key": "00" * 32, "files": encoded, **changes}
    return json.dumps(found).encode()


SEALED = {
    "not json": b"{",
    "list": b"[]",
    "no secrets": b"{}",
    "secrets": sealed(secrets=["x"]),
    "value": sealed(secrets={"TOKEN": 7}),
    "forbidden": sealed(secrets={"LD_PRELOAD": "x"}),
    "nul": sealed(secrets={"TOKEN": "a\0b"}),
    "key": sealed(key="zz"),
    "short key": sealed(key="00"),
    "files": json.dumps({"secrets": {}, "key": "00" * 32, "files": [1]}).encode(),
    "file": json.dumps({"secrets": {}, "key": "00" * 32, "files": {"modules/x": 3}}).encode(),
    "climbing": sealed({"modules/../../../x": b""}),
    "absolute": sealed({"/tmp/x": b""}),
    "trusted": sealed({"trusted": b"0" * 64}),
    "lookalike": sealed({"inventory.json.d/x": b""}),
    "twice": sealed({"vars": b"export X=1\n"}),
    "in the way": sealed({"modules/soil/terraform.tfstate/x": b""}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", SEALED)
def test_a_hostile_encrypted_part(other, bundle, tmp_path, case):
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "identity").write_text(f"{identity}\n")
    data = seal.encrypt(SEALED[case], recipients=[str(identity.to_public())])
    forged = forge(bundle, str(tmp_path / "f.rigger"), change_files={"secrets.age": data})
    said = load(other, forged, "--identity", tmp_path / "identity", code=9)
    assert "encrypted part" in said.err
    assert nothing_there(other)


@pytest.mark.slow
def test_a_hostile_checkout(other, bundle, tmp_path):
    forged = forge(
        bundle, str(tmp_path / "f.rigger"), change_files={"checkout.bundle": b"# v2 git bundle\n\ngarbage"}
    )
    assert "checkout in the bundle cannot be made" in load(other, forged, code=9).err
    assert nothing_there(other)


@pytest.mark.slow
def test_a_provider_among_the_files_of_an_environment_is_none_of_this_machines_own(alone, bundle, tmp_path):
    """Wherever the vars say that it lies: in the environment that was saved, or in the one that is made of it."""
    manifest = b"interface: 2\nname: soil\nrole: provider\n"
    text = contents(bundle)["vars"].decode()
    for top in (fields(bundle)["environment_dir"], place(alone)):
        evil = text.replace('export PROVIDER="soil"', f'export PROVIDER="{top}/modules/soil/evil"')
        files = {"vars": evil.encode(), "modules/soil/evil/rigger.yml": manifest}
        forged = forge(bundle, str(tmp_path / "f.rigger"), change_files=files)
        for _ in range(2):
            load(alone, forged, "--trust")
            assert vars_of(alone)["PROVIDER"] == place(alone, "scripts", "provider", "soil")


@pytest.mark.slow
def test_other_scripts_than_those_of_the_bundle_are_told(cluster, other, bundle):
    assert "other scripts" not in load(other, bundle).out
    cluster.script("provider", "check", "echo other")
    said = load(other, bundle).out
    assert "soil has other scripts here than in the bundle; those of this machine will run." in said
    assert "tree has other" not in said


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 1, 3, 4])
def test_what_is_left_of_a_bundle_is_no_vars_file(other, bundle, tmp_path, kept):
    with open(bundle, "rb") as file:
        (tmp_path / "cut.rigger").write_bytes(file.read()[:kept])
    load(other, str(tmp_path / "cut.rigger"), code=9)
    assert nothing_there(other)


@pytest.mark.slow
def test_secrets_that_are_missing_are_named_with_the_way_to_save_them(cluster, tmp_path):
    with open(os.path.join(cluster.folders["provider"], "rigger.yml"), "a") as file:
        file.write("vars: {LOGIN: 'user:{{ TOKEN }}'}\n")
    cluster.script("provider", "create", 'rigger-save-vars MADE="by $TOKEN"; ' + MAKE_NODES)
    cluster.rigger("provision", "--again")
    other, path = elsewhere(cluster.rigger, tmp_path), save(cluster.rigger, tmp_path)
    refused = load(other, path, "--no-input", "--trust", token="", code=2)
    assert "--set MADE=" in refused.err and "MADE: secret, and left out" in refused.out
    assert 'load a bundle that "rigger save --with-secrets" wrote' in refused.out
    said = load(other, path, "--no-input", "--trust", "--set", "MADE=by me")
    assert "--with-secrets" not in said.out
