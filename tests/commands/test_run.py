"""rigger run, and where a script of bash ended."""

import json
import os
import re

import pytest


def bash(cluster, role, verb, body):
    path = os.path.join(cluster.folders[role], verb)
    with open(path, "w") as file:
        file.write("#!/usr/bin/env bash\n" + body)
    os.chmod(path, 0o755)


@pytest.mark.slow
def test_one_step_alone(cluster):
    said = cluster.rigger("run", "create", "-v")
    assert cluster.ran() == ["provider/create"] and "rigger logs 1 1" in said.out
    assert [record["command"] for record in cluster.records() if record["event"] == "run-started"] == [
        "run create"
    ]
    assert cluster.nodes() == ["node-1", "node-2"]
    cluster.rigger("run", "platform/tree/install")
    cluster.rigger("run", "tests/grows")
    assert cluster.ran() == ["platform/install", "platform/tests/grows"]
    assert "3" in cluster.rigger("history").out and "run tests/grows" in cluster.rigger("history").out


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("install", "rigger run platform/tree/install"),
        ("sow", "There is no step 'sow'"),
        ("destroy", "    rigger destroy\n"),
        ("upgrade-graceful", "    rigger upgrade\n"),
    ],
)
def test_what_is_no_step_or_two(cluster, step, said):
    assert said in cluster.rigger("run", step, code=2).err and cluster.ran() == []


@pytest.mark.slow
def test_a_shell_has_what_the_step_has(cluster):
    cluster.rigger("provision")
    bash(cluster, "provider", "create", "env >$RIGGER_ENVIRONMENT_DIR/as-a-step; pwd\n")
    cluster.rigger("run", "create")
    cluster.ran()
    words = b"env >$RIGGER_ENVIRONMENT_DIR/as-a-shell; pwd; rigger-save-vars NODES=9; exit 5\n"
    said = cluster.rigger("run", "create", "--shell", env={"SHELL": "/bin/sh"}, input=words, code=5)
    assert said.out.splitlines()[-1] == os.path.realpath(cluster.folders["provider"]) and cluster.ran() == []
    own = {
        "RIGGER_RUN",
        "SHELL",
        "_",
        "SHLVL",
        "PWD",
        "OLDPWD",
        "BASH_ENV",
        "RIGGER_CONNECTIONS",
        "RIGGER_LOCK_FD",
    }
    seen = []
    for name in ("as-a-step", "as-a-shell"):
        with open(cluster.file(name)) as file:
            lines = [line.rstrip("\n").partition("=") for line in file]
        seen.append(
            {
                key: value
                for key, _, value in lines
                if key not in own and not value.startswith(cluster.file("runs"))
            }
        )
    assert seen[0] == seen[1] and "RIGGER_STATE_DIR" in seen[0]
    assert [r["outcome"] for r in cluster.records() if r["event"] == "run-finished"][-1] == "done"
    assert "run create --shell" in cluster.rigger("history").out
    assert cluster.rigger("config", "get", "NODES").out != "9\n"
    assert "Leave out one" in cluster.rigger("run", "create", "--shell", "--trace", code=2).err


def test_it_is_traced(cluster):
    bash(cluster, "provider", "create", 'name=two\necho "one $name"\n')
    cluster.rigger("run", "create", "--trace")
    assert "+ create:3: echo 'one two'\n" in cluster.rigger("logs").out
    with open(os.path.join(cluster.folders["provider"], "create"), "w") as file:
        file.write("#!/usr/bin/env python3\n")
    assert "is no script of a shell" in cluster.rigger("run", "create", "--trace", code=2).err


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("set -e\ntrue\nfalse\n", "exited 1 after 0.0 s, at line 4 of providers/soil/create: false."),
        (
            "set -euo pipefail\nf() {\n    test -e /nothing/there\n}\nf\n",
            "at line 4 of providers/soil/create: test -e /nothing",
        ),
        ("set -e\nx=$(exit 3)\n", "exited 3 after 0.0 s, at line 3 of providers/soil/create: x=$(exit 3)."),
        ("set -e\n. ./part\n", "at line 2 of providers/soil/part: grep -q x /dev/null"),
        ("false\nexit 1\n", "exited 1 after 0.0 s.\n"),
        ("set -e\nfalse || true\nif false; then :; fi\nexit 4\n", "exited 4 after 0.0 s.\n"),
        ("set -e\ntrap 'echo mine' ERR\nfalse\n", "exited 1 after 0.0 s.\n"),
    ],
)
def test_a_silent_failure_names_file_line_and_command(cluster, body, place):
    with open(os.path.join(cluster.folders["provider"], "part"), "w") as file:
        file.write("true\ngrep -q x /dev/null\n")
    bash(cluster, "provider", "create", body)
    said = cluster.rigger("run", "create", code=None)
    assert place in re.sub(r"after [0-9.]+ s", "after 0.0 s", said.err)
    assert not [name for name in os.listdir(cluster.file("runs")) if name.endswith(".failed")]


def test_what_is_noted_changes_nothing_of_the_script(cluster, tmp_path):
    """The user's own BASH_ENV is read as well, and the shell's options are those that the script sets."""
    (tmp_path / "env").write_text("OWN=here\n")
    bash(cluster, "provider", "create", 'set -e\necho "$- $OWN"; false || echo on; (exit 2) || echo "$?"\n')
    cluster.rigger("run", "create", env={"BASH_ENV": str(tmp_path / "env")})
    lines = cluster.rigger("logs").out.splitlines()
    assert lines[1].split()[1] == "here" and lines[2:] == ["on", "2"]
    report = json.loads(cluster.rigger("history", "-o", "json").out)["runs"]
    assert report[0]["outcome"] == "done"
