"""What a script gets."""

import json
import os
import stat
import subprocess

from helpers.clusters import Cluster

# What a script gets


def test_a_script_gets_what_the_contract_says(cluster):
    cluster.script(
        "provider",
        "create",
        'env >"$RIGGER_STATE_DIR/env"\npwd >"$RIGGER_STATE_DIR/cwd"\ncat >"$RIGGER_STATE_DIR/stdin"',
    )
    cluster.rigger("provision")
    state = cluster.file("modules", "soil")
    lines = cluster.content("modules", "soil", "env").splitlines()
    env = dict(line.partition("=")[::2] for line in lines)
    assert env["NODES"] == "2" and env["REGION"] == "here" and env["TREE_VERSION"] == "1.10.0"
    assert env["RIGGER_INTERFACE"] == "2"
    assert env["RIGGER_HOME"] == cluster.rigger.home
    assert env["RIGGER_ENVIRONMENT"] == "wood"
    assert env["RIGGER_ENVIRONMENT_ID"] == env["TREE_ID"] and len(env["TREE_ID"]) == 10
    assert env["RIGGER_ENVIRONMENT_DIR"] == cluster.path
    assert env["RIGGER_MODULE_DIR"] == env["RIGGER_PROVIDER_DIR"] == cluster.folders["provider"]
    assert env["RIGGER_STATE_DIR"] == env["RIGGER_PROVIDER_STATE_DIR"] == state
    assert env["RIGGER_VARS_FILE"] == cluster.file("vars")
    assert env["RIGGER_STEP"] == "02-create" and env["RIGGER_RUN"].endswith("-provision")
    assert env["RIGGER_BIN_DIR"] == cluster.file("bin") and os.path.isdir(cluster.file("bin"))
    libexec, bin_dir, rest = env["PATH"].split(os.pathsep, 2)
    assert os.path.exists(os.path.join(libexec, "rigger-save-vars"))
    assert bin_dir == cluster.file("bin") and rest == os.environ["PATH"]
    assert cluster.content("modules", "soil", "cwd").strip() == cluster.folders["provider"]
    assert cluster.content("modules", "soil", "stdin") == ""
    assert stat.S_IMODE(os.stat(state).st_mode) == 0o700


def test_a_variable_of_the_shell_does_not_stand_in_for_a_question(cluster):
    cluster.script("provider", "create", 'echo "NODES=$NODES TOKEN=${TOKEN-unset}"')
    cluster.rigger("provision", env={"NODES": "77", "TOKEN": "from-my-shell"})
    assert cluster.log("02-create") == "NODES=2 TOKEN=unset\n"


def test_what_some_steps_alone_get_does_not_come_from_the_shell(cluster):
    cluster.script("platform", "deploy", 'env >"$RIGGER_STATE_DIR/env"')
    given = ("RIGGER_STAGE_NODES", "RIGGER_ROLLBACK", "RIGGER_JUDGE_SECONDS")
    cluster.rigger("provision", env=dict.fromkeys(given, "7"))
    seen = cluster.content("modules", "tree", "env")
    assert "RIGGER_RUN=" in seen and not any(f"{name}=" in seen for name in given)


def test_no_proxy_is_asked_for_the_nodes(cluster):
    nodes = [
        {"name": "a", "address": "198.51.100.7", "private_address": "10.0.0.7"},
        {"name": "b", "address": "[2001:db8::7]", "private_address": "10.0.0.8"},
    ]
    lines = "\n".join(map(json.dumps, nodes))
    cluster.script("provider", "create", f"cat >>\"$RIGGER_INVENTORY_OUTPUT\" <<'E'\n{lines}\nE")
    cluster.script("platform", "deploy", 'echo "$NO_PROXY|$no_proxy"')
    own = "198.51.100.7,10.0.0.7,2001:db8::7,10.0.0.8"
    cluster.rigger("provision", env={"NO_PROXY": "corp.example"})
    assert cluster.log("04-deploy") == f"{own},corp.example|{own},corp.example\n"
    show = 'unset no_proxy; NO_PROXY=corp.example; . "$1"; echo "$NO_PROXY|$no_proxy"'
    sourced = subprocess.run(["sh", "-c", show, "sh", cluster.file("vars")], capture_output=True, text=True)
    assert sourced.stdout == f"{own},corp.example|{own},corp.example\n", sourced.stderr
    lines = cluster.rigger("shellinit").out
    sourced = subprocess.run(["sh", "-c", f'{lines}\necho "$NO_PROXY"'], capture_output=True, text=True)
    assert sourced.stdout.startswith(own)
    cluster.rigger("destroy", "-y")
    assert "198.51.100.7" not in cluster.content("vars")


# What a script cannot decide


def test_declared_outputs_of_another_environment_do_not_leak_in(rigger, modules):
    cluster = Cluster(rigger, modules, provider="outputs: [TUNNEL]\n")
    cluster.script("provider", "create", 'echo "was ${TUNNEL-unset}"; rigger-save-vars TUNNEL=here')
    cluster.configure()
    rigger("provision", env={"TUNNEL": "of another"})
    assert "was unset" in cluster.log("02-create")


def test_a_platform_finds_its_own_folder(cluster):
    cluster.script("platform", "deploy", 'echo "$TREE_ROOT"')
    cluster.rigger("provision")
    assert cluster.log("04-deploy").strip() == cluster.folders["platform"]
