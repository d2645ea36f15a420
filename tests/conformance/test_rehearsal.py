"""A whole life is tried in a home apart, and what goes wrong in it is named."""

import os
import re
import shutil
import signal
import subprocess

import pytest
from conftest import ROOT
from helpers.clusters import ended, wait_for
from helpers.written_modules import old


@pytest.mark.slow
def test_scaffolds_pass(tried, provider, platform, rigger, tmp_path):
    report = tried(provider)
    for wanted in (
        "check: works where nothing was made",
        "destroy: works where nothing was made",
        "create: can be repeated",
        "create: makes the same nodes again",
        "exec: passes input, output and the exit code on",
        "destroy: can be repeated",
        ": no process stays behind",
    ):
        assert wanted in report["passed"]
    # A create that is so short may be done before it is killed.
    assert any(re.search("killed in the middle|done before", line) for line in report["passed"])
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
    etcd = os.path.join(ROOT, "rigger", "platforms", "etcd")
    said = rigger("module", "check", "--run", etcd, timeout=1800)  # minutes, also where all else is at rest
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
        ["create: a second create changed the nodes"],
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
        {"create": 'mkdir "$RIGGER_STATE_DIR/machines" || exit\nmkdir "$RIGGER_STATE_DIR/machines/a" "$RIGGER_STATE_DIR/machines/b"\n' + NODE.replace('"box"', '"a"') + NODE.replace('"box"', '"b"')},
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


@pytest.mark.slow
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


@pytest.mark.slow
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
    assert any("killed in the middle" in line for line in report["passed"])
    assert any(
        re.search(r"more stays after a create that was killed.*machine-\d+/disk", line)
        for line in report["advice"]
    )


@pytest.mark.slow
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


@pytest.mark.slow
def test_machines_that_cannot_be_removed_are_not_forgotten(rigger, provider):
    provider.replace("destroy", "rm -rf", "[[ ! -d $RIGGER_STATE_DIR/machines ]]\nrm -rf")
    said = rigger("module", "check", "--run", provider.folder, code=6)
    line = re.search(
        r"machines may be left: (HOME=(\S+) RIGGER_HOME=\S+) (rigger -e sandbox destroy)", said.out
    )
    tried = os.path.join(os.path.dirname(line[2]), "hetzner", "destroy")
    assert f"the copy in {os.path.dirname(tried)}" in said.out
    with open(provider.folder / "destroy") as right, open(tried, "w") as file:
        file.write(right.read().replace("[[ ! -d $RIGGER_STATE_DIR/machines ]]\n", ""))
    env = dict(word.split("=") for word in line[1].split())
    rigger("-e", "sandbox", "destroy", "--yes", env=env)
    shutil.rmtree(os.path.dirname(line[2]))


@pytest.mark.slow
def test_after_ctrl_c_neither(rigger, provider, tmp_path):
    noted = tmp_path / "noted"
    provider.replace(
        "create",
        "# Vars leave",
        f": >{noted}  # by bash itself, which heeds Ctrl-C after it\nsleep 30\n# Vars leave",
    )
    provider.replace("destroy", "rm -rf", "[[ ! -d $RIGGER_STATE_DIR/machines ]]\nrm -rf")
    running = rigger.start("module", "check", "--run", str(provider.folder))
    wait_for(noted.exists)
    running.send_signal(signal.SIGINT)
    code, said = ended(running)
    assert code == 130, said
    home = re.search(r"machines may be left: HOME=(\S+) ", said)[1]
    assert os.path.isdir(os.path.join(home, ".rigger/environments/sandbox/modules/hetzner/machines/node-1"))
    shutil.rmtree(os.path.dirname(home))


@pytest.mark.slow
def test_a_platform_that_goes_wrong(tried, platform):
    platform.replace(
        "undeploy", "    code=0\n", '    code=0\n    [ -e "$RIGGER_STATE_DIR/greeted" ] || exit 3\n'
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


@pytest.mark.slow
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
