"""rigger configure without a terminal: where values come from, what is refused, and what is written."""

import json
import os
import pty
import re
import shutil
import stat
import subprocess

import pytest

from rigger import text as texts
from rigger.configuration.equivalent import shell_word
from rigger.envfile import file as envfile

CLOUD = """
    types:
      development: {NODES: 3}
      production: {NODES: 5}
    questions:
      - {name: REGION, type: select, choices: [fra1, ams3], default: fra1, env: [CLOUD_REGION]}
      - {name: NODES, ask: How many nodes?, type: integer, min: 1, max: 9, default: 3}
      - {name: NOTE, ask: A note?, optional: true, advanced: true}
      - {name: TOKEN, ask: Which token?, type: secret, optional: true, env: [CLOUD_TOKEN]}
"""
STRICT = """
    questions:
      - {name: ACCOUNT, ask: Which account?}
      - {name: ZONE, ask: Which zone?}
      - {name: KEY, ask: Which key?, type: secret}
"""
HOSTILE = {
    "quotes": 'it\'s "so"',
    "commands": "$(touch owned) `touch owned` ${HOME} \\",
    "equals and spaces": " a = b == c ",
    "lines": "one\ntwo\n\n",
    "history": "!! !$ !x",
    "no text": "caf\udce9 \udcff",
    "escapes": "\x1b]0;owned\x07\x1b[2J\t\r\x7f",
    "marks": "\u202eright\u200b é漢",
    "dashes": "--no-such-flag",
    "globs": "* ? [a-z] ~ {a,b} #x",
    "tail": "x\x1b\n",
}


@pytest.fixture
def cloud(rigger, modules):
    modules.write("provider", "cloud", CLOUD)
    modules.write("provider", "strict", STRICT)
    modules.write("platform", "tree", "versions: [1.9.0, 1.10.0]\n")
    rigger.env |= {"RIGGER_PLATFORM": "tree", "RIGGER_PROVIDER": "cloud"}
    return rigger


def configure(rigger, *arguments, **options):
    return rigger("configure", *arguments, **options)


def vars_of(rigger, name="tree", home=None):
    found = envfile.read(os.path.join(home or rigger.home, "environments", name, "vars"))
    return {n: v for n, v in found.items() if n not in ("PATH", "ORIGINAL_PATH")}


def secrets_of(rigger, name="tree"):
    return envfile.read(rigger.path("environments", name, "secrets"))


def write(rigger, name, text):
    with open(os.path.join(rigger.folder, name), "wb") as file:
        file.write(texts.encode(text))
    return name


def environments(rigger):
    folder = rigger.path("environments")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


# Where a value comes from


SOURCES = [
    (("--set", "NODES=2"), "--set", "2"),
    ({"RIGGER_NODES": "4"}, "$RIGGER_NODES", "4"),
    ("NODES=6\n", "answers.env", "6"),
]


def arrange(rigger, sources):
    """Return the arguments and the process environment for some of SOURCES, over a saved value of 8."""
    configure(rigger, "--set", "NODES=8")
    arguments, env = [], {}
    for form in sources:
        if isinstance(form, tuple):
            arguments += form
        elif isinstance(form, dict):
            env |= form
        else:
            arguments += ["--answers", write(rigger, "answers.env", form)]
    return arguments, env


@pytest.mark.parametrize("first", range(len(SOURCES) + 1))
def test_precedence_and_the_source_is_told(cloud, first):
    arguments, env = arrange(cloud, [form for form, _, _ in SOURCES[first:]])
    said = configure(cloud, *arguments, env=env)
    if first == len(SOURCES):
        assert vars_of(cloud)["NODES"] == "8"
        return
    _, source, value = SOURCES[first]
    assert f"NODES is {value} (from {source})" in said.out
    assert vars_of(cloud)["NODES"] == value


@pytest.mark.parametrize(
    "form, source",
    [
        (("--set", "NODES=x"), "--set NODES"),
        ({"RIGGER_NODES": "x"}, "$RIGGER_NODES"),
        ("NODES=x", "answers.env"),
        ({"RIGGER_NODES": ""}, "$RIGGER_NODES"),
        ({"RIGGER_PROVIDER": "clod"}, "$RIGGER_PROVIDER"),
        (("--version", "7"), "--version"),
        (("--type", "huge"), "--type"),
    ],
)
def test_what_is_invalid_names_its_source(cloud, form, source):
    arguments, env = arrange(cloud, [form])
    said = configure(cloud, *arguments, env=env, code=2)
    assert f"from {source}" in said.err and said.err.count("\n") <= 2
    assert vars_of(cloud)["NODES"] == "8"


def test_native_names(cloud):
    said = configure(
        cloud, env={"CLOUD_REGION": "ams3", "CLOUD_TOKEN": "s3cret", "NODES": "9", "REGION": "x"}
    )
    assert "REGION is ams3 (from $CLOUD_REGION)" in said.out
    assert "TOKEN is ******** (from $CLOUD_TOKEN)" in said.out and "s3cret" not in said.out + said.err
    assert vars_of(cloud)["REGION"] == "ams3" and "NODES" not in vars_of(cloud)
    said = configure(cloud, "--name", "b", env={"CLOUD_REGION": "ams3", "RIGGER_REGION": "fra1"})
    assert "REGION is fra1 (from $RIGGER_REGION)" in said.out
    configure(cloud, "--name", "c", env={"CLOUD_REGION": ""})  # set to nothing is not set
    assert "REGION" not in vars_of(cloud, "c")


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_value_arrives_as_it_was_given(cloud, value):
    said = configure(cloud, "--set", f"NOTE={value}", env={"LC_ALL": "C"})
    assert vars_of(cloud)["NOTE"] == value
    assert "\x1b" not in said.out and "\u202e" not in said.out


def test_a_value_arrives_from_the_process_environment_too(cloud):
    value = "".join(HOSTILE.values())
    configure(cloud, env={"RIGGER_NOTE": value})
    assert vars_of(cloud)["NOTE"] == value


def test_an_empty_value(cloud):
    configure(cloud, "--set", "NOTE=")
    assert vars_of(cloud)["NOTE"] == ""
    assert "must not be empty (from --set NODES)" in configure(cloud, "--set", "NODES=", code=2).err


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--set", "NODES"], "not of the form NAME=VALUE"),
        (["--set", "=3"], "not of the form NAME=VALUE"),
        (["--set", "NODE=3"], "no variable 'NODE' (--set) (did you mean NODES?)"),
        (["--set", "NODES=3", "--set", "NODES=4"], "twice"),
        (["--provider", "cloud", "--set", "PROVIDER=strict"], "different values"),
        (["--provider", "clod"], "did you mean cloud?"),
        (["--platform", "nope"], "PLATFORM must be one of"),
        (["--platform", "/nowhere/at/all"], "no platform in /nowhere/at/all"),
        (["--version", "1.9"], "VERSION must be one of"),
        (["--name", "../x"], "not a name for an environment"),
        (["--name", ".x"], "not a name for an environment"),
        (["--name", "x" * 64], "not a name for an environment"),
        (["--name", "a b"], "not a name for an environment"),
        (["--answers", "nowhere.env"], "nowhere.env cannot be read: No such file"),
        (["--answers", "."], "cannot be read: Is a directory"),
        (["--no-such-flag"], "No such option"),
        (["--name", ""], "--name is given, but empty"),
        (["--file", ""], "--file is given, but empty"),
    ],
)
def test_wrong_usage(cloud, arguments, said):
    answer = configure(cloud, *arguments, code=2)
    assert said in answer.err and "Traceback" not in answer.err
    assert not os.path.exists(cloud.home)


# Answers from a file


def test_dotenv_forms(cloud):
    write(
        cloud,
        "answers.env",
        "# mine\nexport NODES='4'\nNAME=prod\nREGION=fra1\nREGION = \"ams3\"  # the last one holds\n"
        "NOTE=\"$HOME ${NODES}\nsecond line\"\nTOKEN='$(touch owned)'\n",
    )
    configure(cloud, "--answers", "answers.env")
    found = vars_of(cloud, "prod")
    assert (found["NODES"], found["REGION"], found["NOTE"]) == ("4", "ams3", "$HOME ${NODES}\nsecond line")
    assert secrets_of(cloud, "prod") == {"TOKEN": "$(touch owned)"}
    assert "owned" not in os.listdir(cloud.folder)


@pytest.mark.parametrize(
    "text, said",
    [
        ("NODES=3\nnot an assignment\n", "answers.env, line 2"),
        ("NODES=3\n\nREGION\n", "answers.env, line 3"),
        ("NODES='3\n", "answers.env, line 1"),
        ("NODE=3\n", "no variable 'NODE' (answers.env) (did you mean NODES?)"),
        ("NAME=../x\n", "not a name"),
    ],
)
def test_answers_that_cannot_be_used(cloud, text, said):
    write(cloud, "answers.env", text)
    assert said in configure(cloud, "--answers", "answers.env", code=2).err
    assert environments(cloud) == []


def test_names_by_precedence(cloud):
    write(cloud, "answers.env", "NAME=from-file\n")
    for arguments, env, name in [
        (["--name", "flag"], {"RIGGER_NAME": "env"}, "flag"),
        (["-e", "chosen"], {"RIGGER_NAME": "env"}, "chosen"),
        ([], {"RIGGER_NAME": "env"}, "env"),
        ([], {}, "from-file"),
    ]:
        configure(cloud, "--answers", "answers.env", *arguments, env=env)
        assert os.readlink(cloud.path("current")) == f"environments/{name}"
    assert environments(cloud) == ["chosen", "env", "flag", "from-file"]


# Nobody to ask


@pytest.mark.parametrize("flag", [[], ["--no-input"], ["--defaults"]])
def test_all_missing_values_are_listed_at_once(cloud, flag):
    said = configure(cloud, *flag, "--provider", "strict", "--set", "ZONE=here", code=2)
    assert "2 values are missing" in said.err
    assert re.search(r"--set ACCOUNT=\.\.\. +Which account\?", said.err)
    assert re.search(r"--set KEY=\.\.\. +Which key\?", said.err)
    assert "ZONE" not in said.err and "--answers FILE" in said.err
    assert environments(cloud) == []


def test_no_input_holds_on_a_terminal(cloud):
    main, side = pty.openpty()
    done = subprocess.run(
        [*cloud.argv, "configure", "--no-input", "--provider", "strict"],
        cwd=cloud.folder,
        env=cloud.env,
        stdin=side,
        stdout=side,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    os.close(main)
    os.close(side)
    assert done.returncode == 2 and b"3 values are missing" in done.stderr


def test_a_wrong_name_is_told_before_missing_values(cloud):
    assert (
        "did you mean ACCOUNT?" in configure(cloud, "--provider", "strict", "--set", "ACOUNT=x", code=2).err
    )


def test_a_default_that_does_not_hold_is_explained(cloud, modules):
    modules.write("provider", "odd", "questions:\n  - {name: N, type: integer, default: many}\n")
    said = configure(cloud, "--provider", "odd", code=2)
    assert "--set N=..." in said.err and "must be a whole number" in said.err


# What is written


def test_only_what_somebody_chose_is_stored(cloud, modules):
    configure(cloud, "--defaults")
    assert vars_of(cloud).keys() == {"PLATFORM", "PROVIDER", "VERSION", "TYPE", "TREE_ID", "TREE_VERSION"}
    assert re.fullmatch("[0-9a-f]{10}", vars_of(cloud)["TREE_ID"])
    modules.write("provider", "cloud", CLOUD.replace("default: fra1", "default: ams3"))
    [value] = json.loads(cloud("config", "get", "REGION", "-o", "json").out)["values"]
    assert value["value"] == "ams3"
    modules.write("platform", "tree", "versions: [1.9.0, 1.10.0, 1.11.0]\n")
    configure(cloud, "--defaults")
    assert vars_of(cloud)["VERSION"] == "1.10.0"  # an existing cluster keeps its version


def test_files_links_and_permissions(cloud):
    configure(cloud, "--name", "a", "--set", "TOKEN=s3cret")
    configure(cloud, "--name", "b")
    for name in ("environments/a/vars", "environments/a/secrets", "environments/a/audit.jsonl"):
        assert stat.S_IMODE(os.stat(cloud.path(name)).st_mode) == 0o600, name
    for name in ("", "environments", "environments/a"):
        assert stat.S_IMODE(os.stat(cloud.path(name)).st_mode) == 0o700, name
    assert os.readlink(cloud.path("current")) == "environments/b"
    assert os.path.samefile(cloud.path("vars"), cloud.path("environments", "b", "vars"))
    assert b"s3cret" not in open(cloud.path("environments", "a", "vars"), "rb").read()
    assert b"s3cret" not in open(cloud.path("environments", "a", "audit.jsonl"), "rb").read()
    sourced = subprocess.run(
        ["dash", "-c", '. "$1"; echo "$PROVIDER $TREE_VERSION"', "-", cloud.path("vars")], capture_output=True
    )
    assert sourced.stdout == b"cloud 1.10.0\n"


def test_changing_an_environment_keeps_the_rest(cloud):
    configure(cloud, "--set", "NODES=5", "--set", "TOKEN=one")
    before = vars_of(cloud)
    said = configure(cloud, "--set", "REGION=ams3")
    assert "is configured" in said.out
    assert vars_of(cloud) == {**before, "REGION": "ams3"} and secrets_of(cloud) == {"TOKEN": "one"}
    assert "stays as it was" in configure(cloud).out
    assert vars_of(cloud) == {**before, "REGION": "ams3"}


def test_what_scripts_gave_back_stays(cloud, modules):
    modules.write(
        "provider",
        "cloud",
        CLOUD,
        create='echo ENDPOINT=10.0.0.1 >>"$RIGGER_OUTPUT"; echo ADMIN=s3cret >>"$RIGGER_SECRETS_OUTPUT"',
    )
    configure(cloud)
    cloud("provision")
    configure(cloud, "--set", "NODES=2")
    assert vars_of(cloud)["ENDPOINT"] == "10.0.0.1" and "ADMIN" not in vars_of(cloud)
    assert secrets_of(cloud) == {"ADMIN": "s3cret"}


def test_what_another_provider_left_goes(cloud):
    configure(cloud, "--set", "NODES=5", "--set", "TOKEN=one")
    configure(cloud, "--provider", "strict", "--set", "ACCOUNT=a", "--set", "ZONE=z", "--set", "KEY=k")
    assert secrets_of(cloud) == {"KEY": "k"} and "NODES" not in vars_of(cloud)


@pytest.mark.slow
def test_a_cluster_keeps_its_provider_and_platform(cloud):
    configure(cloud)
    cloud("provision")
    for arguments in (["--provider", "noop"], ["--platform", "noop"]):
        said = configure(cloud, *arguments, code=2)
        assert "cannot change while it exists" in said.err and "rigger destroy" in said.err
    cloud("destroy", "--yes")
    configure(cloud, "--provider", "noop")
    assert vars_of(cloud)["PROVIDER"] == "noop"


def test_a_saved_value_that_no_longer_holds(cloud, modules):
    configure(cloud, "--set", "NODES=8")
    modules.write("provider", "cloud", CLOUD.replace("max: 9", "max: 7"))
    said = configure(cloud, code=3)
    assert f"{cloud.path('environments', 'tree', 'vars')}: NODES must be at most 7, not 8." in said.err
    configure(cloud, "--set", "NODES=7")


def test_two_first_configures_at_once(cloud):
    running = [cloud.start("configure", "--name", "same", "--set", f"NODES={n}") for n in (2, 4, 6)]
    ends = []
    for one in running:
        out, _ = one.communicate(timeout=60)
        ends.append((one.returncode, out.decode()))
    assert {code for code, _ in ends} <= {0, 2, 7} and 0 in {code for code, _ in ends}, ends
    assert "bug" not in "".join(said for _, said in ends) and "Directory not empty" not in "".join(
        said for _, said in ends
    )
    assert vars_of(cloud, "same")["NODES"] in "246"
    assert environments(cloud) == ["same"]


def test_an_environment_in_use_is_not_changed(cloud, modules):
    configure(cloud)
    modules.script(
        os.path.join(modules.folder, "providers", "cloud"), "create", 'touch "$HOME/started"; sleep 60'
    )
    run = cloud.start("provision")
    try:
        while not os.path.exists(os.path.join(cloud.env["HOME"], "started")):
            assert run.poll() is None
        said = configure(cloud, "--set", "NODES=2", code=7)
        assert "rigger provision" in said.err
        assert "NODES" not in vars_of(cloud)
    finally:
        run.terminate()
        run.communicate(timeout=30)


# A home that cannot be used


def test_a_file_where_the_home_should_be(cloud):
    write(cloud, "file", "")
    said = configure(cloud, env={"RIGGER_HOME": os.path.join(cloud.folder, "file")}, code=3)
    assert "cannot be written" in said.err and "RIGGER_HOME" in said.err


def test_a_home_that_cannot_be_made(cloud):
    assert "cannot be written" in configure(cloud, env={"RIGGER_HOME": "/proc/rigger"}, code=3).err


def full_disk(rigger, *arguments):
    """Run a command that can write no byte to any file."""
    limited = ["sh", "-c", 'ulimit -f 0; exec "$@"', "-", *rigger.argv, *arguments]
    env = {**rigger.env, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        limited, cwd=rigger.folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60
    )


def test_a_full_disk_loses_nothing(cloud):
    done = full_disk(cloud, "configure", "--set", "NODES=2")
    assert (done.returncode, environments(cloud)) == (4, []), done.stderr
    configure(cloud, "--set", "NODES=4")
    before = vars_of(cloud)
    done = full_disk(cloud, "configure", "--set", "NODES=2")
    assert done.returncode == 4 and b"cannot be written" in done.stderr, done.stderr
    assert vars_of(cloud) == before
    configure(cloud, "--set", "NODES=2")
    assert vars_of(cloud)["NODES"] == "2"


# A vars file that somebody has

HAND_WRITTEN = """\
# our production cluster
PLATFORM=tree; PROVIDER='cloud'
  export NODES=5   # five
REGION="ams3"
TOKEN=s3cret
TREE_ID=0123456789
ENDPOINTS=10.0.0.1
declare -x NOTE='two
lines'
"""


def test_a_vars_file_of_somebody(cloud):
    configure(cloud)
    write(cloud, "prod.vars", HAND_WRITTEN)
    refused = configure(cloud, "--file", "prod.vars", code=2)
    assert "ENDPOINTS=10.0.0.1" in refused.out and "s3cret" not in refused.out
    assert "NODES=" not in refused.out and "--trust" in refused.err and environments(cloud) == ["tree"]
    said = configure(cloud, "--file", "prod.vars", "--trust")
    assert "NODES is 5 (from prod.vars)" in said.out and "s3cret" not in said.out
    assert vars_of(cloud, "prod") == {
        "PLATFORM": "tree",
        "PROVIDER": "cloud",
        "VERSION": "1.10.0",
        "TYPE": "development",
        "NODES": "5",
        "REGION": "ams3",
        "TREE_ID": "0123456789",
        "TREE_VERSION": "1.10.0",
        "ENDPOINTS": "10.0.0.1",
        "NOTE": "two\nlines",
    }
    assert secrets_of(cloud, "prod") == {"TOKEN": "s3cret"}
    assert os.readlink(cloud.path("current")) == "environments/prod"


def test_flags_go_before_a_vars_file(cloud):
    write(cloud, "prod.vars", HAND_WRITTEN)
    configure(cloud, "--file", "prod.vars", "--trust", "--set", "NODES=7", "--name", "mine")
    assert vars_of(cloud, "mine")["NODES"] == "7"


@pytest.mark.parametrize(
    "text, said",
    [
        ("PROVIDER=cloud\nNODES=$(nproc)\n", "line 2"),
        ("PROVIDER=cloud\n\nrm -rf /\n", "line 3"),
        ("PROVIDER=cloud\nLD_PRELOAD=x\n", "line 2"),
        ("PLATFORM=tree\nPROVIDER=cloud\nNODES=12\n", "prod.vars: NODES must be at most 9"),
        ("PLATFORM=tree\nPROVIDER=clod\n", "prod.vars: PROVIDER must be one of"),
        ("PLATFORM=tree\nVERSION=9\n", "prod.vars: VERSION must be one of"),
    ],
)
def test_a_vars_file_that_is_refused(cloud, text, said):
    write(cloud, "prod.vars", text)
    for name in ("RIGGER_PLATFORM", "RIGGER_PROVIDER"):
        del cloud.env[name]
    assert said in configure(cloud, "--file", "prod.vars", code=3).err
    assert environments(cloud) == []


@pytest.mark.parametrize("start", [b"\x28\xb5\x2f\xfd", b"\x1f\x8b", b"PK\x03\x04"])
def test_an_archive_is_refused(cloud, start):
    with open(os.path.join(cloud.folder, "prod.rigger"), "wb") as file:
        file.write(start + bytes(range(256)))
    assert "bundle" in configure(cloud, "--file", "prod.rigger", code=9).err


def test_a_vars_file_that_is_not_there(cloud):
    assert "No such file" in configure(cloud, "--file", "nowhere", code=2).err


def test_the_name_of_a_loaded_environment(cloud):
    for path, name in [("prod.vars", "prod"), ("my cluster.env", "my-cluster"), ("stage/vars", "stage")]:
        os.makedirs(os.path.dirname(os.path.join(cloud.folder, path)), exist_ok=True)
        configure(cloud, "--file", write(cloud, path, "NODES=5\n"))
        assert vars_of(cloud, name)["NODES"] == "5"


@pytest.mark.slow
def test_one_cluster_is_not_put_over_another(cloud):
    configure(cloud, "--name", "prod")
    before = vars_of(cloud, "prod")
    write(cloud, "prod.vars", HAND_WRITTEN)
    assert "not the one in prod.vars" in configure(cloud, "--file", "prod.vars", code=2).err
    assert vars_of(cloud, "prod") == before
    own = cloud.path("environments", "prod", "vars")
    assert "describes the environment prod" in configure(cloud, "--file", own, "--name", "copy", code=2).err
    assert "stays as it was" in configure(cloud, "--file", cloud.path("vars")).out  # the same one again
    assert environments(cloud) == ["prod"] and vars_of(cloud, "prod") == before


def test_a_module_in_a_folder_of_its_own_is_found_from_anywhere(cloud, modules):
    folder = os.path.join(cloud.folder, "elsewhere")
    shutil.copytree(os.path.join(modules.folder, "providers", "cloud"), folder)
    for n, (arguments, env) in enumerate(
        [(["--provider", "./elsewhere"], {}), ([], {"RIGGER_PROVIDER": "./elsewhere"})]
    ):
        configure(cloud, "--name", f"e{n}", *arguments, env=env)
        assert vars_of(cloud, f"e{n}")["PROVIDER"] == folder


# The same without questions


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
def test_the_equivalent_command_does_the_same(cloud, shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    note = "".join(HOSTILE.values())
    said = configure(
        cloud,
        "--name",
        "one",
        "--set",
        f"NOTE={note}",
        "--set",
        "NODES=5",
        "--version",
        "1.9.0",
        env={"CLOUD_TOKEN": "s3cret"},
    )
    command = said.out.split("without questions", 1)[1].split(":\n", 1)[1].split("\n  Next:")[0]
    assert "s3cret" not in said.out and "\x1b" not in command
    program = os.path.join(cloud.folder, "bin")
    os.mkdir(program)
    with open(os.path.join(program, "rigger"), "w") as file:
        file.write(f'#!/bin/sh\nexec {" ".join(cloud.argv)} "$@"\n')
    os.chmod(file.name, 0o755)
    env = {
        **cloud.env,
        "PATH": f"{program}:{os.environ['PATH']}",
        "RIGGER_HOME": os.path.join(cloud.folder, "other"),
    }
    env = {n: v for n, v in env.items() if n not in ("RIGGER_PROVIDER", "RIGGER_PLATFORM")} | {
        "RIGGER_TOKEN": "s3cret"
    }
    done = subprocess.run([shell, "-c", command], cwd=cloud.folder, env=env, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    first, second = vars_of(cloud, "one"), vars_of(cloud, "one", env["RIGGER_HOME"])
    assert first.pop("TREE_ID") != second.pop("TREE_ID")
    assert first == second and first["NOTE"] == note
    assert envfile.read(os.path.join(env["RIGGER_HOME"], "environments", "one", "secrets")) == {
        "TOKEN": "s3cret"
    }
    assert "owned" not in os.listdir(cloud.folder)


@pytest.mark.parametrize("text", [*HOSTILE.values(), "", "plain"], ids=[*HOSTILE, "empty", "plain"])
@pytest.mark.parametrize("shell", [["bash"], ["dash"], ["zsh"], ["busybox", "sh"]], ids="-".join)
def test_a_word_for_every_shell(shell, text):
    if not shutil.which(shell[0]):
        pytest.skip(f"no {shell[0]}")
    word = shell_word(text)
    assert word.replace("\n", "").isprintable()
    assert subprocess.run([*shell, "-c", f"printf %s {word}"], capture_output=True).stdout == texts.encode(
        text
    )


# Programs of a manifest


def test_a_check_that_refuses_hides_the_secret_and_drives_no_terminal(cloud, modules):
    modules.write(
        "provider",
        "checked",
        "questions:\n  - {name: PIN, type: secret, check: look}\n",
        look="printf '\\033]0;owned\\007\\033[2Jwrong pin %s\\n' \"$PIN\" >&2; exit 1",
    )
    said = configure(cloud, "--provider", "checked", "--set", "PIN=s3cret", code=2)
    assert "PIN was not accepted" in said.err and "from --set PIN" in said.err
    assert "s3cret" not in said.err and "\x1b" not in said.err and "\x07" not in said.err


@pytest.mark.parametrize("body", ["exit 3", "echo no network >&2; exit 1", "kill -9 $$"])
def test_choices_that_cannot_be_listed(cloud, modules, body):
    modules.write(
        "provider",
        "live",
        "questions:\n  - {name: ZONE, type: select, choices: {command: look}}\n",
        look=body,
    )
    said = configure(cloud, "--provider", "live", code=2)
    assert "look could not list the choices of ZONE" in said.err and "--set ZONE=" in said.err


def test_a_program_that_is_missing(cloud, modules):
    modules.write(
        "provider", "live", "questions:\n  - {name: ZONE, type: select, choices: {command: bin/none}}\n"
    )
    said = configure(cloud, "--provider", "live", code=None)
    assert said.code in (2, 9) and "bin/none" in said.err and "Traceback" not in said.err


def test_a_manifest_that_is_wrong_troubles_only_who_chooses_it(cloud, modules):
    folder = modules.write("provider", "broken", "questons: []\n")
    configure(cloud, "--defaults")
    said = configure(cloud, "--name", "b", "--provider", "broken", code=9)
    assert f"{folder}/rigger.yml, line 4: questons" in said.err
    assert environments(cloud) == ["tree"]
