"""Conformance: every slip is named with its file and line, reading runs nothing, and a whole life is tried apart."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from conftest import ROOT
from helpers.clusters import ended, wait_for

from rigger.conformance import rules, subject, syntax
from rigger.errors import BadUsage, Refused
from rigger.modules import scaffold

SHIPPED = [
    os.path.join(folder, name)
    for folder in (os.path.join(ROOT, "providers"), os.path.join(ROOT, "rigger", "platforms"))
    for name in sorted(os.listdir(folder))
    if os.path.isfile(os.path.join(folder, name, "rigger.yml"))
]


@pytest.fixture(autouse=True)
def private_temporary_folder(tmp_path_factory, monkeypatch):
    """Sandboxes that are kept lie here, also those of a test that fails."""
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))


@pytest.fixture
def provider(tmp_path):
    return Written("provider", tmp_path / "hetzner")


@pytest.fixture
def platform(tmp_path):
    return Written("platform", tmp_path / "hello")


class Written:
    """A scaffolded module that a test spoils."""

    def __init__(self, role, folder):
        self.folder = folder
        scaffold.write(role, folder.name, str(folder))

    def replace(self, name, old, new):
        path = self.folder / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    def script(self, name, body, mode=0o755, shebang="#!/bin/sh\n"):
        header = "# Summary: A test's.\n# Needs: nothing\n# Writes: nothing\n"
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((shebang + header + body).encode())
        path.chmod(mode)

    def add(self, text):
        with open(self.folder / "rigger.yml", "a") as file:
            file.write(text)

    def question(self, text):
        self.replace("rigger.yml", "questions:\n", f"questions:\n  - {text}\n")

    def findings(self, level):
        module = subject.load(subject.locate(str(self.folder)))
        found = rules.examine(module)
        return [f"{f.place}: {f.text}" for f in found if f.level == level]

    def fails(self):
        return self.findings("FAIL")

    def advice(self):
        return self.findings("ADVICE")


# Reading


@pytest.mark.parametrize("folder", SHIPPED, ids=[os.path.relpath(folder, ROOT) for folder in SHIPPED])
def test_what_ships_conforms(folder, monkeypatch):
    monkeypatch.setattr(syntax, "SHELLCHECK", ("none",))  # slow, and `make lint` asks it of all scripts
    found = rules.examine(subject.load(folder))
    assert [finding for finding in found if finding.level == "FAIL"] == []


def test_scaffolds_give_no_reason_for_advice(provider, platform):
    for module in (provider, platform):
        assert module.fails() == [] and module.advice() == []
        assert len(module.findings("PASS")) == 14


def spoil_typo(m):
    os.rename(m.folder / "destroy", m.folder / "destory")


def spoil_folder(m):
    os.unlink(m.folder / "check")
    os.mkdir(m.folder / "check")


SPOILED = {
    "missing": (lambda m: os.unlink(m.folder / "check"), ["check: is missing: a provider needs it"]),
    "no file": (spoil_folder, ["check: is no file that can be run"]),
    "typo": (
        spoil_typo,
        [
            "destroy: is missing: a provider needs it; destory looks like it",
            "destory: looks like destroy, but rigger will never run it",
        ],
    ),
    "an optional typo": (
        lambda m: m.script("suspnd.sh", ""),
        ["suspnd.sh: looks like suspend, but rigger will never run it"],
    ),
    "no run bit": (lambda m: os.chmod(m.folder / "create", 0o644), ["create: is not executable"]),
    "no shebang": (
        lambda m: m.replace("create", "#!/usr/bin/env bash\n", "\n"),
        ["create:1: has no #! line"],
    ),
    "an interpreter that is not there": (
        lambda m: m.replace("check", "env bash", "env nush"),
        ["check:1: has a #! line that names nush, which is not on this machine"],
    ),
    "an interpreter's path": (
        lambda m: m.replace("check", "/usr/bin/env bash", "/opt/none/bash"),
        ["check:1: has a #! line that names /opt/none/bash, which is not on this machine"],
    ),
    "no header": (
        lambda m: m.replace("install", "# Summary:", "# It will"),
        ["install:1: has no header: a line '# Summary: what it does' under the #! line"],
    ),
    "two spellings": (
        lambda m: m.script("create.sh", ""),
        ["create: stands beside create.sh: only one of them runs"],
    ),
    "bash syntax": (lambda m: m.replace("create", "; do", ";"), ["create:17: syntax error near"]),
    "sh syntax": (lambda m: m.script("plan", "if true\n"), ["plan:6: Syntax error"]),
    "a library's syntax": (
        lambda m: m.script("lib/x.sh", "f() {\n", shebang=""),
        ["lib/x.sh:5: syntax error"],
    ),
    "python syntax": (
        lambda m: m.script("plan", "def f(:\n", shebang="#!/usr/bin/env python3\n"),
        ["plan:5: invalid syntax"],
    ),
    "CR LF": (
        lambda m: m.script("plan", "true\r\ntrue\n"),
        ["plan:5: has the line ends of Windows (CR LF)"],
    ),
    "world-writable": (
        lambda m: os.chmod(m.folder / "create", 0o777),
        ["create: everybody on this machine can write to it: chmod o-w"],
    ),
    "a world-writable folder": (
        lambda m: os.chmod(m.folder, 0o777),
        [".: everybody on this machine can write to it: chmod o-w"],
    ),
    "no program": (
        lambda m: m.question("{name: ZONE, type: select, choices: {command: bin/zones}}"),
        ["rigger.yml:16: choices of ZONE: bin/zones is missing"],
    ),
    "a program that cannot run": (
        lambda m: (m.question("{name: ZONE, check: bin/zone}"), m.script("bin/zone", "", mode=0o644)),
        ["rigger.yml:16: check of ZONE: bin/zone is not executable"],
    ),
    "a default that does not hold": (
        lambda m: m.replace("rigger.yml", "default: 2", "default: 12"),
        ["rigger.yml:16: default: NODES must be at most 9, not 12"],
    ),
    "a type that does not hold": (
        lambda m: m.replace("rigger.yml", "{NODES: 5}", "{NODES: 50}"),
        ["rigger.yml:16: type production: NODES must be at most 9, not 50"],
    ),
    "a template": (
        lambda m: m.question("{name: ZONE, default: 'a {{ b'}"),
        ["rigger.yml:16: default of ZONE: line 1 of the template:"],
    ),
    "a timeout for nothing": (
        lambda m: m.replace("rigger.yml", "{install: 5m, create", "{install: 5m, craete"),
        ["rigger.yml:46: timeouts: there is no script craete (did you mean create?)"],
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_provider(provider, name):
    spoil, expected = SPOILED[name]
    spoil(provider)
    found = provider.fails()
    assert len(found) == len(expected), found
    for said, wanted in zip(sorted(found), sorted(expected), strict=True):
        assert said.startswith(wanted), found


def test_a_spoiled_platform(platform):
    platform.replace("rigger.yml", "tests: [greets]", "tests: [greets, waves]")
    platform.add("upgrades:\n  rolling: {within: major}\n")
    platform.script("upgrade-roling", "")
    platform.script("tests/bows", "")
    os.chmod(platform.folder / "tests" / "greets", 0o644)
    assert sorted(platform.fails()) == [
        "rigger.yml:29: tests/waves is missing",
        "rigger.yml:51: the script upgrade-rolling is missing",
        "tests/greets: is not executable",
        "upgrade-roling: the manifest has no style roling under upgrades (did you mean upgrade-rolling?)",
    ]
    assert platform.advice() == ["tests/bows: belongs to no suite and no component"]
    os.rename(platform.folder / "upgrade-roling", platform.folder / "upgrade-rolling")
    platform.script("tests/waves", "")
    os.chmod(platform.folder / "tests" / "greets", 0o755)
    assert platform.fails() == []


def test_advice_fails_nobody(provider):
    provider.question("{name: API_TOKEN, ask: Which?}")
    provider.question("{name: KEY, type: secret, default: abc}")
    provider.replace("rigger.yml", "outputs: [MACHINES_MADE]", "outputs: [MACHINES_MADE, TUNNEL]")
    provider.script("plan", 'echo "the key is $KEY"\nset -x\nrigger-save-vars KEY\necho "$KEY" | wc -c\n')
    provider.script("format-disks", "")
    (provider.folder / "link").symlink_to("/etc/passwd")
    provider.replace("check", "# Writes: nothing\n", "")
    said = "\n".join(provider.advice())
    for wanted in (
        "rigger.yml:17: API_TOKEN sounds like a secret",
        "rigger.yml:16: KEY is a secret with a default",
        "outputs: nothing here speaks of TUNNEL",
        "plan:5: prints a secret",
        "plan:6: prints every command",
        "plan:7: a secret is saved with rigger-save-secrets",
        "format-disks: rigger runs nothing called so",
        "link: is a link",
        "does not say '# Needs:' and '# Writes:': check",
    ):
        assert wanted in said
    assert "plan:8: prints" not in said
    assert provider.fails() == []


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no ShellCheck here")
def test_shellcheck_is_advice(provider):
    provider.script("plan", 'cd "$1"\nrm $2\n')
    found = provider.advice()
    assert any(re.match(r"plan:6: SC2086 ", line) for line in found), found
    assert provider.fails() == []


def test_where_a_module_is_looked_for(tmp_path):
    for place in ("a/rigger", "b/.rigger", "c/contrib/rigger"):
        scaffold.write("platform", "hello", str(tmp_path / place))
        assert subject.locate(str(tmp_path / place.partition("/")[0])) == str(tmp_path / place)
    with pytest.raises(BadUsage, match="no rigger.yml in ., rigger, .rigger, contrib/rigger"):
        subject.locate(str(tmp_path))
    with pytest.raises(BadUsage, match="There is no folder"):
        subject.locate(str(tmp_path / "none"))


def old(folder, **scripts):
    """Write a provider of interface 1."""
    folder.mkdir(parents=True)
    for name, (text, mode) in scripts.items():
        path = folder / name.replace("_", ".")
        path.write_text(text)
        path.chmod(mode)
    return str(folder)


def test_scripts_without_a_manifest(tmp_path):
    body = "# Summary: A test's.\ntrue\n"
    folder = old(
        tmp_path / "contrib" / "vagrant",
        create_sh=(body, 0o644),
        destroy_sh=(body, 0o644),
        check=("#!/bin/bash\n" + body, 0o755),
        config_sh=("prompt 'Zone?' ZONE\n", 0o644),
    )
    found = rules.examine(subject.load(folder))
    assert [f for f in found if f.level == "FAIL"] == []
    assert "there is no install" in str([f.text for f in found if f.level == "ADVICE"])
    with open(os.path.join(folder, "destroy.sh"), "a") as file:
        file.write("fi\n")
    os.chmod(os.path.join(folder, "create.sh"), 0o755)
    fails = [f"{f.place}: {f.text}" for f in rules.examine(subject.load(folder)) if f.level == "FAIL"]
    assert any(line.startswith("create.sh:1: has no #! line") for line in fails)
    assert any(line.startswith("destroy.sh:3: syntax error") for line in fails)
    assert len(fails) == 2
    os.unlink(os.path.join(folder, "destroy.sh"))
    with pytest.raises(Refused, match="no destroy"):
        subject.load(folder)


def test_reading_runs_nothing(rigger, provider, tmp_path):
    canary = tmp_path / "canary"
    touch = f"touch {canary}\n"
    for name in ("install", "create", "check", "destroy", "exec", "plan", "bin/zones", "lib/x.sh"):
        provider.script(name, touch)
    provider.script("bash", touch)
    provider.question("{name: ZONE, type: select, choices: {command: bin/zones}, check: bin/zones}")
    (provider.folder / ".shellcheckrc").write_text("external-sources=true\n")
    env = {"BASH_ENV": str(provider.folder / "lib/x.sh"), "ENV": str(provider.folder / "lib/x.sh")}
    said = rigger("module", "check", provider.folder, env=env)
    assert "Nothing of it was run" in said.out
    assert not canary.exists()
    assert not os.path.exists(rigger.home)


# A whole life


@pytest.fixture
def tried(rigger):
    """Return what `module check --run` found: its report, and the lines of a level."""

    def run(written, *arguments, code=0, env=None):
        said = rigger(
            "module", "check", "--run", "-o", "json", written.folder, *arguments, code=code, env=env
        )
        report = json.loads(said.out)
        assert report["ran"] and report["good"] == (code == 0)
        report["failed"] = [f"{f['file']}: {f['text']}" for f in report["findings"] if f["level"] == "FAIL"]
        report["advice"] = [f"{f['file']}: {f['text']}" for f in report["findings"] if f["level"] == "ADVICE"]
        report["passed"] = [f"{f['file']}: {f['text']}" for f in report["findings"] if f["level"] == "PASS"]
        return report

    return run


def test_scaffolds_pass(tried, provider, platform, rigger, tmp_path):
    report = tried(provider)
    for wanted in (
        "check: works where nothing was made",
        "destroy: works where nothing was made",
        "create: can be repeated",
        ": create makes the same nodes again",
        "exec: passes input, output and the exit code on",
        "destroy: can be repeated",
        ": no process stays behind",
    ):
        assert wanted in report["passed"]
    assert any("killed in the middle" in line for line in report["passed"])
    assert report["advice"] == [] and report["logs"] is None
    report = tried(platform, "--provider", provider.folder)
    for wanted in (
        "undeploy: works where nothing was deployed",
        "tests/greets: passes",
        "undeploy: can be repeated",
    ):
        assert wanted in report["passed"]
    assert report["advice"] == []
    assert not os.path.exists(rigger.home)


@pytest.mark.heavy
def test_the_life_of_etcd(rigger):
    said = rigger("module", "check", "--run", os.path.join(ROOT, "rigger", "platforms", "etcd"))
    assert "tests/member-loss: passes" in said.out and "etcd conforms" in said.out


NODE = r"""printf '{"name": "box", "address": "127.0.0.1"}\n' >>"$RIGGER_INVENTORY_OUTPUT"
rigger-save-vars MACHINES_MADE=1
"""
LIVES = {
    "destroy on nothing": (
        {"destroy": '[ -d "$RIGGER_STATE_DIR/machines" ] || { echo "no machines"; exit 4; }\nrm -r "$RIGGER_STATE_DIR/machines"\n'},
        ["destroy: exited 4: no machines (wanted: works where nothing was made)", "destroy: exited 4: no machines (wanted: can be repeated)"],
    ),
    "a check that hangs": (
        {"check": "sleep 60\n"},
        ["check: did not end within 1 s (where nothing was made)"],
    ),
    "a check that makes something": (
        {"check": 'mkdir -p "$RIGGER_STATE_DIR/machines"\ntouch "$RIGGER_STATE_DIR/machines/x"\n'},
        ["check: makes something where nothing was made: it should only look"],
    ),
    "a check that is not content": (
        {"check": "echo not well\nexit 1\n"},
        ["check: exited 1: not well (wanted: succeeds after create)"],
    ),
    "too few nodes": (
        {"create": 'mkdir -p "$RIGGER_STATE_DIR/machines/box"\n' + NODE},
        [": create wrote 1 node to the inventory, but NODES is 2"],
    ),
    "other nodes each time": (
        {"create": 'for n in 1 2; do printf \'{"name": "n%s-%s", "address": "127.0.0.1"}\\n\' $n $$ >>"$RIGGER_INVENTORY_OUTPUT"; mkdir -p "$RIGGER_STATE_DIR/machines/n$n-$$"; done\nrigger-save-vars MACHINES_MADE=2\n'},
        [": a second create changed them"],
    ),
    "a promise that is not kept": (
        {"create": 'for n in 1 2; do printf \'{"name": "n%s", "address": "127.0.0.1"}\\n\' $n >>"$RIGGER_INVENTORY_OUTPUT"; done\n'},
        ["create: MACHINES_MADE was not set, which hetzner promises"],
    ),
    "an inventory that cannot be read": (
        {"create": 'echo box-1 >>"$RIGGER_INVENTORY_OUTPUT"\nrigger-save-vars MACHINES_MADE=1\n'},
        ["create: line 1 of the inventory is not a JSON object"],
    ),
    "a create that runs once": (
        {"create": 'mkdir "$RIGGER_STATE_DIR/machines" || exit\n' + NODE.replace('"box"', '"a"') + NODE.replace('"box"', '"b"')},
        ["create: exited 1: mkdir: cannot create directory"],
    ),
    "files in its own folder": (
        {"install": 'date >"$RIGGER_MODULE_DIR/installed"\n'},
        [": the scripts write to their own folder, which is read-only: installed; use $RIGGER_STATE_DIR"],
    ),
    "a destroy that leaves something": (
        {"destroy": 'rm -rf "$RIGGER_STATE_DIR/machines"\nrigger-leftover "volume 7"\n'},
        ["destroy: left something over: volume 7 (wanted: works where nothing was made)", "destroy: left something over: volume 7"],
    ),
    "an exec that swallows the exit code": (
        {"exec": 'cd "$RIGGER_STATE_DIR/machines/$1"\nshift\n"$@"\nexit 0\n'},
        ["exec: does not pass input, output and the exit code on: 0"],
    ),
    "an exec that loses words": (
        {"exec": 'cd "$RIGGER_STATE_DIR/machines/$1"\nshift\nexec sh -c "$*"\n'},
        ["exec: does not pass input, output and the exit code on:"],
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", LIVES)
def test_a_life_that_goes_wrong(tried, provider, name):
    scripts, expected = LIVES[name]
    provider.replace("rigger.yml", "check: 1m", "check: 1s")
    for script, body in scripts.items():
        provider.script(script, body)
    report = tried(provider, code=6)
    for wanted in expected:
        assert any(line.startswith(wanted) for line in report["failed"]), report["failed"]
    assert os.path.isdir(report["logs"])
    shutil.rmtree(report["logs"])


@pytest.mark.slow
def test_a_process_that_stays_is_named_and_ended(tried, provider):
    provider.replace(
        "create", "set -euo pipefail\n", "set -euo pipefail\nnohup sleep 313 >/dev/null 2>&1 &\n"
    )
    report = tried(provider, code=6)
    (line,) = report["failed"]
    assert re.match(r": processes stay behind: sleep \(\d+\)", line)
    assert subprocess.run(["pgrep", "-f", "sleep 313"], capture_output=True).stdout == b""
    shutil.rmtree(report["logs"])


def test_a_secret_that_is_printed(tried, provider):
    provider.question("{name: API_TOKEN, type: secret}")
    provider.replace(
        "create", "set -euo pipefail\n", 'set -euo pipefail\nprintf "x%sy\\n" "${API_TOKEN:0:99}"\n'
    )
    report = tried(provider, code=6)
    assert report["failed"] == ["create: prints a secret"]
    shutil.rmtree(report["logs"])
    provider.replace("create", 'printf "x%sy\\n" "${API_TOKEN:0:99}"', "[[ $API_TOKEN == my-own-token ]]")
    tried(provider, env={"RIGGER_API_TOKEN": "my-own-token"})
    tried(provider, "--set", "API_TOKEN=my-own-token")


def test_a_secret_is_on_no_command_line(tried, provider, tmp_path):
    provider.question("{name: ZONE, type: select, choices: {command: bin/zones}}")
    provider.question("{name: API_TOKEN, type: secret}")
    provider.script("bin/zones", f"tr '\\0' ' ' </proc/$PPID/cmdline >{tmp_path}/seen\necho west\n")
    tried(provider, "--set", "ZONE=west", "--set", "SIZE=large")
    assert "SIZE=large" in (tmp_path / "seen").read_text() and "TOKEN" not in (tmp_path / "seen").read_text()


def test_what_a_killed_create_leaves_is_found(tried, provider):
    # It notes what it has made only in the end, and destroy goes by the notes.
    provider.replace(
        "create",
        "set -euo pipefail\n",
        'set -euo pipefail\nfolder=$HOME/machine-$RANDOM\nmkdir "$folder"\necho "big" >"$folder/disk"\nsleep 0.3\n'
        'echo "$folder" >>"$RIGGER_STATE_DIR/made"\n',
    )
    provider.script(
        "destroy",
        'cd "$RIGGER_STATE_DIR"\nrm -rf machines\n[ -f made ] || exit 0\nxargs rm -rf <made\nrm made\n',
    )
    report = tried(provider)
    assert any(
        re.search(r"more stays after a create that was killed.*machine-\d+/disk", line)
        for line in report["advice"]
    )


def test_a_home_of_its_own(tried, provider, private_home, rigger):
    provider.replace(
        "create",
        "set -euo pipefail\n",
        'set -euo pipefail\n[[ -z ${XDG_CONFIG_HOME-} ]]\necho kept >"$HOME/.cloudrc"\ntouch "${TMPDIR:?}/left"\n',
    )
    report = tried(provider, env={"XDG_CONFIG_HOME": str(private_home / "config"), "RIGGER_NAME": "mine"})
    assert ": files stay in the home and the state after destroy: .cloudrc" in report["advice"]
    assert ": temporary files stay behind: left" in report["advice"]
    assert os.listdir(private_home) == []


@pytest.mark.slow
def test_values_that_nobody_can_make_up(rigger, provider, private_home):
    provider.question('{name: ZONE, ask: "Which zone?", pattern: "z[0-9]+"}')
    provider.question("{name: COUNT, type: integer, min: 3}")
    provider.question("{name: FOLDER, type: path}")
    said = rigger("module", "check", "--run", provider.folder, code=2)
    assert "1 value is missing" in said.err and "--set ZONE=" in said.err and "COUNT" not in said.err
    provider.replace(
        "create",
        "set -euo pipefail\n",
        'set -euo pipefail\n[[ $COUNT == 3 && $FOLDER == "$HOME"/* && $ZONE == z1 ]]\n',
    )
    rigger("module", "check", "--run", provider.folder, "--set", "ZONE=z1")
    assert (
        "does not match" in rigger("module", "check", "--run", provider.folder, "--set", "ZONE=1", code=2).err
    )
    assert (
        "did you mean ZONE"
        in rigger("module", "check", "--run", provider.folder, "--set", "ZONA=z1", code=2).err
    )
    assert "Add --run" in rigger("module", "check", provider.folder, "--set", "ZONE=z1", code=2).err


def test_ctrl_c_destroys_what_was_made(rigger, provider, tmp_path):
    noted, destroyed = tmp_path / "noted", tmp_path / "destroyed"
    provider.replace("create", "# Vars leave", f'echo "$RIGGER_STATE_DIR" >{noted}\nsleep 30\n# Vars leave')
    provider.replace("destroy", "rm -rf", f"echo $RIGGER_STEP >>{destroyed}\nrm -rf")
    running = rigger.start("module", "check", "--run", str(provider.folder))
    wait_for(noted.exists)
    running.send_signal(signal.SIGINT)
    code, said = ended(running)
    assert code == 130, said
    assert len(destroyed.read_text().split()) == 2 and "removes all of it at the end" in said
    assert not os.path.exists(noted.read_text().strip())


def test_machines_that_cannot_be_removed_are_not_forgotten(rigger, provider):
    provider.replace("destroy", "rm -rf", "[[ ! -d $RIGGER_STATE_DIR/machines ]]\nrm -rf")
    said = rigger("module", "check", "--run", provider.folder, code=6)
    line = re.search(
        r"machines may be left: (HOME=(\S+) RIGGER_HOME=\S+) (rigger -e sandbox destroy)", said.out
    )
    provider.replace("destroy", "[[ ! -d $RIGGER_STATE_DIR/machines ]]\n", "")
    env = dict(word.split("=") for word in line[1].split())
    rigger("-e", "sandbox", "destroy", "--yes", env=env)
    shutil.rmtree(os.path.dirname(line[2]))


def test_after_ctrl_c_neither(rigger, provider, tmp_path):
    noted = tmp_path / "noted"
    provider.replace("create", "# Vars leave", f"touch {noted}\nsleep 30\n# Vars leave")
    provider.replace("destroy", "rm -rf", "[[ ! -d $RIGGER_STATE_DIR/machines ]]\nrm -rf")
    running = rigger.start("module", "check", "--run", str(provider.folder))
    wait_for(noted.exists)
    running.send_signal(signal.SIGINT)
    code, said = ended(running)
    assert code == 130, said
    home = re.search(r"machines may be left: HOME=(\S+) ", said)[1]
    assert os.path.isdir(os.path.join(home, ".rigger/environments/sandbox/modules/hetzner/machines/node-1"))
    shutil.rmtree(os.path.dirname(home))


def test_slips_come_before_a_life(rigger, provider):
    os.chmod(provider.folder / "create", 0o644)
    said = rigger("module", "check", "--run", provider.folder, code=6)
    assert "FAIL    create: is not executable" in said.out and "Not run" in said.out
    assert "works where nothing was made" not in said.out
    assert "hetzner does not conform: 13 passed, 1 failed" in said.err


def test_a_platform_that_goes_wrong(tried, platform):
    platform.replace(
        "undeploy", "rm -rf hello || rigger-log warning", "rm -r hello || exit 3 # rigger-log warning"
    )
    platform.script("tests/greets", "echo silence\nexit 1\n")
    platform.script("tests/skips", "echo not here\nexit 77\n")
    platform.replace("rigger.yml", "tests: [greets]", "tests: [greets, skips]")
    report = tried(platform, code=6)
    assert any(
        line.startswith("undeploy: exited 3") and "where nothing was deployed" in line
        for line in report["failed"]
    )
    assert "tests/greets: exited 1: silence" in report["failed"]
    assert "tests/skips: was skipped: not here" in report["advice"]
    assert any("providers/local/destroy: removes all of it" in line for line in report["passed"])
    shutil.rmtree(report["logs"])


def test_the_life_of_scripts_without_a_manifest(rigger, tmp_path):
    body = "# Summary: A test's.\n"
    folder = old(
        tmp_path / "contrib" / "mini",
        install=("#!/bin/sh\n" + body, 0o755),
        create_sh=(
            body + 'echo x >"$RIGGER_STATE_DIR/vm"\nrigger-save-vars DEISCTL_TUNNEL=127.0.0.1\n',
            0o644,
        ),
        check_sh=(body + '[ -f "$RIGGER_STATE_DIR/vm" ]\n', 0o644),
        destroy_sh=(body + 'rm -f "$RIGGER_STATE_DIR/vm"\n', 0o644),
    )
    said = rigger("module", "check", "--run", folder)
    assert "create.sh: can be repeated" in said.out and "mini conforms" in said.out


def test_a_manifest_that_is_refused(rigger, provider):
    provider.replace("rigger.yml", "role: provider", "role: provder")
    said = rigger("module", "check", provider.folder, code=9)
    assert "rigger.yml, line 5: role: 'provder' is not one of" in said.err


def test_no_module(rigger, tmp_path):
    said = rigger("module", "check", tmp_path, code=2)
    assert "neither a provider nor a platform" in said.err and "rigger provider new" in said.err
    assert "There is no folder" in rigger("module", "check", tmp_path / "none", code=2).err
