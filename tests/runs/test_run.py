"""What a step gets and gives back, and what is left when it fails."""

import json
import os
import stat
import subprocess

import pytest
from helpers.clusters import MAKE_NODES, PLATFORM, PROVIDER, Cluster

HOSTILE = b"a'b\"c$(touch pwned)`touch pwned`\\ \\n\t\r\n\n  \xff\xfe\xc3\xa4 $HOME ${x} !! # ; & | * ? ~ END\n=<<END\n"
SENTINEL = "sw0rd-f1sh-Sentinel"


@pytest.fixture
def cluster(rigger, modules):
    cluster = Cluster(rigger, modules)
    cluster.configure()
    return cluster


def files_with(folder, needle: bytes) -> list[str]:
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                if needle in file.read():
                    found.append(os.path.relpath(path, folder))
    return sorted(found)


def unbroken(cluster) -> bool:
    return "unbroken" in cluster.rigger("audit").out


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


# Values back


def test_any_bytes_come_back_and_reach_the_next_step(cluster, tmp_path):
    with open(tmp_path / "value", "wb") as file:
        file.write(HOSTILE)
    give = """
        import os
        value = open(os.environ["VALUE"], "rb").read()
        env = {**os.environb, b"ODD": value, b"EMPTY": b"", b"RIGGER_PYTHON": b""}
        os.execvpe("rigger-save-vars", ["rigger-save-vars", "ODD", "EMPTY", "LINE=one"], env)
    """
    with open(tmp_path / "give.py", "w") as file:
        file.write("\n".join(line.strip() for line in give.splitlines()))
    cluster.script("provider", "create", f'VALUE={tmp_path}/value "$RIGGER_PYTHON" {tmp_path}/give.py')
    cluster.script("platform", "deploy", f'printf %s "$ODD" >{tmp_path}/got\necho "[$EMPTY][$LINE]"')
    cluster.rigger("provision")
    assert (tmp_path / "got").read_bytes() == HOSTILE
    assert cluster.log("04-deploy") == "[][one]\n"
    for shell in ("bash", "dash", "zsh"):
        done = subprocess.run(
            [shell, "-c", '. "$1"; printf %s "$ODD"', shell, cluster.file("vars")], capture_output=True
        )
        assert done.stdout == HOSTILE, shell
    assert cluster.rigger("config", "get", "LINE").out == "one\n"
    assert files_with(cluster.rigger.folder, b"never") == []
    assert not os.path.exists(os.path.join(cluster.folders["provider"], "pwned"))


def test_what_a_failed_step_gave_is_kept(cluster):
    cluster.script("provider", "create", f"rigger-save-vars HALF=made\n{MAKE_NODES}\nexit 9")
    failed = cluster.rigger("provision", code=5)
    assert "providers/soil/create exited 9 after" in failed.err
    assert "its output is in runs/" in failed.err and "02-create.log" in failed.err
    assert cluster.rigger("config", "get", "HALF").out == "made\n"
    assert cluster.nodes() == ["node-1", "node-2"]
    assert unbroken(cluster)


def test_lines_that_are_no_values_fail_the_step_and_name_it(cluster):
    cluster.script(
        "provider", "create", 'echo "good=1" >>"$RIGGER_OUTPUT"\necho "just words" >>"$RIGGER_OUTPUT"'
    )
    failed = cluster.rigger("provision", code=5)
    assert "providers/soil/create gave back what cannot be used" in failed.err
    assert "line 2" in failed.err
    assert cluster.rigger("config", "get", "good").out == "1\n"
    assert cluster.ran() == ["provider/install", "provider/create"]
    assert unbroken(cluster)


@pytest.mark.parametrize(
    "name", ["LD_PRELOAD", "BASH_ENV", "IFS", "PYTHONPATH", "RIGGER_HOME", "HOME", "1st"]
)
def test_names_that_would_change_programs_are_refused(cluster, name):
    cluster.script("provider", "create", f'echo "{name}=x" >>"$RIGGER_OUTPUT"')
    failed = cluster.rigger("provision", code=5)
    assert "line 1" in failed.err and "gave back what cannot be used" in failed.err
    assert f"export {name}=" not in cluster.content("vars")


def test_path_gains_folders_of_the_environment_alone(cluster):
    cluster.script("provider", "create", 'echo "PATH=$RIGGER_STATE_DIR/tools:$PATH" >>"$RIGGER_OUTPUT"')
    cluster.script("platform", "deploy", 'echo "$PATH"')
    cluster.rigger("provision")
    tools = cluster.file("modules", "soil", "tools")
    assert tools in cluster.log("04-deploy").strip().split(os.pathsep)
    sourced = subprocess.run(
        ["sh", "-c", '. "$1"; echo "$PATH"', "sh", cluster.file("vars")], capture_output=True, text=True
    )
    assert sourced.stdout.strip().split(os.pathsep)[:2] == [cluster.file("bin"), tools]

    for folder in ("/tmp/elsewhere", "relative", f"{cluster.path}/../../..", ""):
        cluster.script("platform", "deploy", f'echo "PATH={folder}:$PATH" >>"$RIGGER_OUTPUT" # {folder}')
        failed = cluster.rigger("provision", code=5)
        assert "PATH may only gain folders of the environment" in failed.err, folder
    assert "elsewhere" not in cluster.content("vars")


def test_outputs_that_a_manifest_promises_must_be_set(rigger, modules):
    cluster = Cluster(
        rigger, modules, PROVIDER + "    outputs: [TUNNEL]\n", PLATFORM + "    outputs: [DOOR]\n"
    )
    cluster.configure()
    failed = cluster.rigger("provision", code=5)
    assert "TUNNEL was not set, which soil promises" in failed.err
    cluster.script("provider", "create", "rigger-save-vars TUNNEL=deep")
    failed = cluster.rigger("provision", code=5)
    assert "DOOR was not set, which tree promises" in failed.err
    cluster.script("platform", "deploy", "rigger-save-vars DOOR=")
    cluster.rigger("provision")


# Nodes


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "line 1 of the inventory is not a JSON object"),
        ("[1, 2]", "a node must be an object"),
        ('{"name": "-rf", "address": "10.0.0.1"}', "'-rf' is not a node's name"),
        ('{"name": "a b", "address": "10.0.0.1"}', "is not a node's name"),
        ('{"name": "a", "address": "10.0.0.1; reboot"}', "is not an address"),
        ('{"name": "a"}', "is not an address"),
        ('{"name": "a", "address": "h", "port_offset": "9"}', "port_offset must be a number"),
        ('{"name": "a", "address": "h", "ssh": {"user": "-oProxyCommand=x"}}', "no usable user or port"),
    ],
)
def test_a_node_that_cannot_be_used_fails_the_step(cluster, line, reason):
    cluster.script("provider", "create", f"cat >>\"$RIGGER_INVENTORY_OUTPUT\" <<'EOF'\n{line}\nEOF")
    failed = cluster.rigger("provision", code=5)
    assert reason in failed.err
    assert not os.path.exists(cluster.file("inventory.json")) or cluster.nodes() == []


def test_a_failed_create_adds_nodes_and_a_good_one_replaces_them(cluster):
    one = 'echo \'{"name": "%s", "address": "10.0.0.%s"}\' >>"$RIGGER_INVENTORY_OUTPUT"\n'
    cluster.script("provider", "create", one % ("old", 1) + one % ("both", 2) + "exit 1")
    cluster.rigger("provision", code=5)
    cluster.script("provider", "create", one % ("both", 3) + "exit 1")
    cluster.rigger("provision", code=5)
    assert cluster.nodes() == ["old", "both"]
    cluster.script("provider", "create", one % ("new", 4))
    cluster.script("platform", "deploy", "rigger-nodes table")
    cluster.rigger("provision")
    assert cluster.nodes() == ["new"]
    assert cluster.log("04-deploy") == "new\t10.0.0.4\t-\t0\n"


# Secrets


def test_a_secret_is_in_the_secrets_file_and_nowhere_else(cluster):
    cluster.script(
        "provider",
        "create",
        f"""
        SENTINEL={SENTINEL}; export SENTINEL
        rigger-save-secrets SENTINEL
        echo "the secret is $SENTINEL"; echo "in base64: $(printf %s "$SENTINEL" | base64)"
        echo "REASON=$SENTINEL" >>"$RIGGER_OUTPUT"
        rigger-save-vars "URL=https://x:$SENTINEL@y"
        """,
    )
    cluster.script("platform", "deploy", 'echo "deploy has $SENTINEL"; [ "$SENTINEL" = sw0rd-f1sh-Sentinel ]')
    cluster.script(
        "platform", "check", 'echo "$SENTINEL" >&2; echo "words $SENTINEL" >>"$RIGGER_OUTPUT"; exit 1'
    )
    said = cluster.rigger("provision", code=5)
    seen = said.out + said.err
    seen += (
        cluster.rigger("logs").out
        + cluster.rigger("history", "-o", "json").out
        + cluster.rigger("status").out
    )
    seen += cluster.rigger("config", "get").out + cluster.rigger("config", "get", "-o", "json").out
    seen += cluster.rigger("shellinit").out + cluster.rigger("config", "diff").out
    assert SENTINEL not in seen
    assert "the secret is ***" in seen and "deploy has ***" in seen
    assert files_with(cluster.rigger.home, SENTINEL.encode()) == ["environments/wood/secrets"]
    assert stat.S_IMODE(os.stat(cluster.file("secrets")).st_mode) == 0o600
    assert f'export SENTINEL="{SENTINEL}"' in cluster.rigger("shellinit", "--secrets").out
    assert cluster.rigger("config", "get", "SENTINEL", code=2).err.startswith("rigger: SENTINEL is a secret.")
    assert cluster.rigger("config", "get", "SENTINEL", "--show-secrets").out == f"{SENTINEL}\n"


def test_a_secret_answer_is_masked_everywhere(cluster):
    said = cluster.configure("--set", f"TOKEN={SENTINEL}")
    cluster.script("provider", "install", 'echo "already here: $TOKEN"')
    cluster.script(
        "provider",
        "create",
        'echo "token $TOKEN"; printf "sw0rd-f1sh"; sleep 0.3; printf "%s\\n" "-Sentinel"; set -x; : "$TOKEN"',
    )
    provisioned = cluster.rigger("provision", "-v")
    said = said.out + said.err + provisioned.out + provisioned.err
    said += cluster.rigger("provision", "--plan", "-o", "json").out
    assert SENTINEL not in said and "token ***" in said and "already here: ***" in said
    assert files_with(cluster.rigger.home, SENTINEL.encode()) == ["environments/wood/secrets"]


def test_a_secret_that_a_killed_step_saved_is_masked_in_the_next_run(cluster):
    cluster.script(
        "provider", "create", f'SENTINEL={SENTINEL} rigger-save-secrets SENTINEL={SENTINEL}; kill -9 "$PPID"'
    )
    cluster.rigger("provision", code=-9)
    cluster.script("provider", "create", f'echo "now it is {SENTINEL}"; [ "$SENTINEL" = {SENTINEL} ]')
    said = cluster.rigger("provision")
    assert "now it is ***" in said.out
    assert files_with(cluster.rigger.home, SENTINEL.encode()) == ["environments/wood/secrets"]


def test_a_secret_that_becomes_plain_stays_secret(cluster):
    cluster.script("provider", "create", f"rigger-save-secrets KEY={SENTINEL}")
    cluster.script("platform", "deploy", "rigger-save-vars KEY=another-value")
    cluster.rigger("provision")
    assert "KEY" not in cluster.content("vars")
    assert 'export KEY="another-value"' in cluster.content("secrets")


# Scripts that cannot run


def test_scripts_that_cannot_run_are_found_before_anything_starts(cluster):
    os.chmod(os.path.join(cluster.folders["provider"], "create"), 0o644)
    with open(os.path.join(cluster.folders["platform"], "install"), "w") as file:
        file.write("echo no shebang\n")
    os.unlink(os.path.join(cluster.folders["platform"], "deploy"))
    stopped = cluster.rigger("provision", code=4)
    assert "create is not executable" in stopped.err
    assert "install has no #! line" in stopped.err
    assert "deploy is missing" in stopped.err
    assert cluster.ran() == []
    assert not os.path.exists(cluster.file("runs"))
    assert "FAIL" in cluster.rigger("doctor", code=4).out


def test_an_interpreter_that_does_not_exist_fails_the_step(cluster):
    with open(os.path.join(cluster.folders["provider"], "create"), "w") as file:
        file.write("#!/nowhere/bash\n")
    failed = cluster.rigger("provision", code=5)
    assert "/nowhere/bash" in failed.out + failed.err
    assert unbroken(cluster)


def test_a_script_that_takes_too_long_is_stopped(rigger, modules):
    cluster = Cluster(rigger, modules, PROVIDER + "    timeouts: {create: 1s}\n")
    cluster.script(
        "provider",
        "create",
        'sleep 300 & echo $! >"$RIGGER_STATE_DIR/pid"; rigger-save-vars BEFORE=1; sleep 300',
    )
    cluster.configure()
    failed = cluster.rigger("provision", code=5)
    assert "did not end within" in failed.err and "was stopped" in failed.err
    assert cluster.rigger("config", "get", "BEFORE").out == "1\n"
    pid = cluster.content("modules", "soil", "pid").strip()
    assert not os.path.exists(f"/proc/{pid}") or "State:\tZ" in open(f"/proc/{pid}/status").read()
    assert cluster.records()[-2]["timed_out"] is True
    assert unbroken(cluster)


def test_a_script_ended_by_a_signal_says_so(cluster):
    cluster.script("provider", "create", "kill -TERM $$")
    failed = cluster.rigger("provision", code=5)
    assert "create exited 143" in failed.err
    assert [r for r in cluster.records() if r["event"] == "step-finished"][-1]["signal"] == 15


def test_a_process_left_in_the_background_does_not_hold_up_the_run(cluster):
    cluster.script("provider", "create", 'sleep 60 & echo $! >"$RIGGER_STATE_DIR/pid"')
    cluster.rigger("provision", timeout=30)
    os.kill(int(cluster.content("modules", "soil", "pid")), 9)


def test_a_big_and_binary_output_is_logged_whole(cluster):
    cluster.script("provider", "create", "head -c 3000000 /dev/zero | tr '\\0' '\\377'; echo; echo end")
    cluster.rigger("provision")
    log = cluster.log("02-create")
    assert len(log) == 3000005 and log.endswith("\nend\n")
    record = [r for r in cluster.records() if r["event"] == "step-finished"][1]
    assert record["log_size"] == 3000005


def test_each_step_is_recorded_before_it_starts(cluster):
    cluster.script("provider", "create", 'cp "$RIGGER_ENVIRONMENT_DIR/audit.jsonl" "$RIGGER_STATE_DIR/seen"')
    cluster.rigger("provision")
    seen = [json.loads(line) for line in cluster.content("modules", "soil", "seen").splitlines()]
    assert (seen[-1]["event"], seen[-1]["step"]) == ("step-started", "create")
    assert len(seen[-1]["sha256"]) == 64 and seen[-1]["parameters"]["NODES"] == "2"
    finished = [r for r in cluster.records() if r["event"] == "step-finished" and r["step"] == "create"][0]
    assert finished["exit_code"] == 0 and finished["seconds"] >= 0 and len(finished["log_sha256"]) == 64


# What a script cannot decide


@pytest.mark.parametrize(
    "line", ["PROVIDER=x", "VERSION=9", "PLATFORM=x", "TYPE=x", "TREE_ID=0", "TREE_VERSION=9", "NODES=many"]
)
def test_a_script_cannot_make_its_environment_unusable(cluster, line):
    name, _, value = line.partition("=")
    before = cluster.content("vars")
    cluster.script("provider", "create", f'echo "{line}" >>"$RIGGER_OUTPUT"\necho KEPT=1 >>"$RIGGER_OUTPUT"')
    said = cluster.rigger("provision", code=5)
    assert name in said.out + said.err
    assert 'export KEPT="1"' in cluster.content("vars")
    assert f'export {name}="{value}"' not in cluster.content("vars") or f'export {name}="{value}"' in before
    cluster.rigger("destroy", "--yes")


@pytest.mark.parametrize("instead", ["mkfifo", "mkdir", "ln -s /etc/passwd"])
def test_something_else_than_a_file_of_values_is_refused(cluster, instead):
    cluster.script("provider", "create", f'rm -f "$RIGGER_OUTPUT"; {instead} "$RIGGER_OUTPUT"')
    said = cluster.rigger("provision", code=5, timeout=60)
    assert "something else than a file" in said.out + said.err
    cluster.script("provider", "create")
    cluster.rigger("provision")


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
