"""What a script gives back: values and nodes, and what is refused of them."""

import os
import subprocess

import pytest
from helpers.clusters import MAKE_NODES, PLATFORM, PROVIDER, Cluster
from helpers.run_records import files_with, unbroken

from rigger.environments.answers import outputs_of
from rigger.environments.home import Home
from rigger.environments.outputs import Outputs

HOSTILE = b"a'b\"c$(touch pwned)`touch pwned`\\ \\n\t\r\n\n  \xff\xfe\xc3\xa4 $HOME ${x} !! # ; & | * ? ~ END\n=<<END\n"


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
    assert "  What it printed:\n    rigger logs 1 2\n" in failed.err
    assert cluster.rigger("config", "get", "HALF").out == "made\n"
    assert cluster.nodes() == ["node-1", "node-2"]
    assert unbroken(cluster)


MUCH = """
    for n in $(seq 25); do
        printf 'BIG_%s=%s\\n' $n "$(head -c 100000 /dev/zero | tr '\\0' x)" >>"$RIGGER_OUTPUT"
    done
    rigger-save-vars SMALL=one
"""


@pytest.mark.slow
def test_what_is_too_long_together_is_refused_by_name_and_destroy_works(cluster):
    cluster.script("provider", "create", MUCH + MAKE_NODES)
    failed = cluster.rigger("provision", code=5)
    said = failed.out + failed.err
    assert "BIG_1 (100000 bytes) cannot be kept" in said and "a file in $RIGGER_STATE_DIR" in said
    assert cluster.rigger("config", "get", "SMALL").out == "one\n"
    assert cluster.content("vars").count("export BIG_") == 5
    cluster.script("provider", "create", MAKE_NODES)
    cluster.rigger("provision")
    cluster.rigger("destroy", "-y")


@pytest.mark.slow
def test_vars_that_are_too_long_together_keep_no_script_from_starting(cluster):
    cluster.rigger("provision")
    environment = Home(cluster.rigger.home).get("wood")
    big = {f"BIG_{n}": "x" * 100_000 for n in range(25)}
    steps = {**outputs_of(environment).steps, **dict.fromkeys(big, "provider/soil/create")}
    with environment.locked("a test"):
        environment.save_values(
            {**environment.values(), **big}, outputs=Outputs(steps, outputs_of(environment).hidden)
        )
    cluster.script(
        "platform", "check", 'echo "left out: $RIGGER_LEFT_OUT"; . "$RIGGER_VARS_FILE"; echo "${#BIG_3}"'
    )
    cluster.rigger("check")
    first, second = cluster.log("02-check").splitlines()
    assert "BIG_" in first and second == "100000"
    cluster.rigger("destroy", "-y", env={"OF_THE_SHELL": "y" * 100_000})
    assert "BIG_" not in cluster.content("vars")


@pytest.mark.slow
def test_what_thousands_of_values_cost_follows_their_number(cluster):
    cluster.rigger("provision")
    environment = Home(cluster.rigger.home).get("wood")
    many = {f"V{n}": "x" for n in range(20_000)}
    with environment.locked("a test"):
        environment.save_values(
            {**environment.values(), **many},
            outputs=Outputs(dict.fromkeys(many, "provider/soil/create"), outputs_of(environment).hidden),
        )
    before = sum(os.times()[2:4])
    cluster.rigger("destroy", "-y")
    assert sum(os.times()[2:4]) - before < 20  # seconds of the processor; it takes four
    assert "V7=" not in cluster.content("vars")


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
