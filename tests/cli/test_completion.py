"""The Tab key: what is offered, and the same in real shells."""

import os
import shutil
import subprocess
import sys
import time

import pexpect
import pytest
from helpers.clusters import Cluster
from helpers.module_repositories import Shelf
from helpers.repositories import put

from rigger.cli import completion, completion_table, help
from rigger.cli.completion import FILES, offers
from rigger.cli.completion_scripts import SCRIPTS
from rigger.cli.main import every_verb

PLATFORM = """
    versions: [1.9.0, 1.10.0]
    questions:
      - {name: COLOUR, type: select, choices: [green, gold, red], default: green}
    suites:
      smoke: {description: the first look, tests: [grows]}
    components:
      root: {description: below, tests: [grows]}
"""


@pytest.fixture
def cluster(rigger, modules, monkeypatch):
    cluster = Cluster(rigger, modules, platform=PLATFORM)
    cluster.configure()
    cluster.rigger("provision")
    for name in ("RIGGER_PROVIDER_PATH", "RIGGER_PLATFORM_PATH", "RIGGER_ADDON_PATH"):
        monkeypatch.setenv(name, rigger.env[name])
    return cluster


def words(line):
    """Return what is offered at the end of a line."""
    return [value for value, _ in offers(line.split(" "))]


def test_values_of_everything(cluster):
    os.makedirs(cluster.file("backups"))
    open(cluster.file("backups", "one.backup"), "w").close()
    assert words("prov") == ["provision", "provider"] and set(words("")) == {*help.summaries()}
    assert words("config ") == ["get", "set", "unset", "diff", "edit"]
    assert words("-e w") == words("status -e ") == words("use ") == words("forget w") == ["wood"]
    assert "COLOUR" in words("config get ") and words("config get COL") == ["COLOUR"]
    assert words("config set COL") == ["COLOUR="]
    assert words("config set COLOUR=g") == ["COLOUR=green", "COLOUR=gold"]
    assert words("configure --set COLOUR=r") == ["COLOUR=red"]
    assert words("ssh ") == ["node-1", "node-2"]
    assert words("test ") == ["smoke", "component"] and words("test component ") == ["root"]
    assert words("logs ") == ["1", "last", "provision"] and "create" in words("logs 1 ")
    assert words("restore ") == [cluster.file("backups", "one.backup"), FILES[0]]
    assert words("provision --pl") == ["--plan"] and words("provision --plan --pl") == []
    assert words("status -o ") == ["text", "json"] and words("status --output=j") == ["--output=json"]
    assert words("docs tut") == ["tutorial"] and "index" not in words("docs ")
    assert words("configure --provider so") == ["soil", FILES[0]]
    assert words("upgrade --version ") == ["1.10.0", "1.9.0"]
    assert words("completion z") == ["zsh"]
    assert words("bundle inspect ") == [FILES[0]]
    assert words("nonsense ") == [] and words("status more ") == []


def test_it_notices_what_changed(cluster):
    assert words("config set COLOUR=b") == []
    manifest = os.path.join(cluster.folders["platform"], "rigger.yml")
    with open(manifest) as file:
        text = file.read()
    with open(manifest, "w") as file:
        file.write(text.replace("[green, ", "[green, blue, "))
    assert words("config set COLOUR=b") == ["COLOUR=blue"]


def test_every_option_of_every_command_is_offered(private_home):
    for path, verb in every_verb():
        wanted = {max((*one.names, *one.off), key=len) for one in verb.options if not one.hidden}
        assert {*words(f"{path} -")} == {*wanted, "--help"}, path


def test_every_kind_is_one_that_is_known():
    kinds = {completion_table.kind_of(path, one) for path, verb in every_verb() for one in verb.parameters}
    assert {kind for kind in kinds if not kind.startswith("choices:")} <= {
        *("", "flag", "files", "variables", "assignments", "environments", "nodes", "suites", "runs"),
        *("step", "backups", "versions", "style", "providers", "platforms", "topics"),
        *("addons", "addon", "module", "repositories"),
    }


def test_names_of_addons_and_repositories(cluster, modules):
    modules.write("addon", "birds", "description: They sing\n")
    modules.write("addon", "bees")
    assert words("module add b") == ["bees", "birds", FILES[0]]
    assert words("module remove ") == []
    cluster.rigger("module", "add", "birds")
    for command in ("module remove", "provision", "upgrade", "backup", "scale"):
        assert words(f"{command} b") == ["birds"], command
    assert words("module info ") == ["soil", "tree", "birds"]
    shelf = Shelf(os.path.join(cluster.rigger.folder, "shelf"))
    for name, version in (("bats", "1.0"), ("bats", "1.1"), ("bees", "2.0")):
        shelf.write(name, version)
    cluster.rigger("repository", "add", "shelf")
    assert words("repository update ") == words("module add x --from ") == ["shelf"]
    assert words("module add b") == ["bees", "birds", "bats", FILES[0]]
    assert words("module add bats@") == ["bats@1.0", "bats@1.1", FILES[0]]
    put(cluster.rigger.home, "indexes/other.json", "{")
    assert words("module add ba") == ["bats", FILES[0]]


@pytest.mark.parametrize("damage", [b"", b"\xff\t\n", b"code\n", b"verb"])
def test_a_damaged_table_is_made_again(cluster, damage):
    assert words("prov")
    for name in ("completion.tsv", "completion-wood.tsv"):
        with open(cluster.rigger.path("cache", name), "wb") as file:
            file.write(damage)
    assert words("prov") and words("config get COL") == ["COLOUR"]


def test_nothing_heavy_is_imported(cluster):
    cluster.rigger("__complete", "bash", "--", "config", "set", "")
    code = "import sys; from rigger.__main__ import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code, "__complete", "bash", "--", "config", "set", ""],
        env=cluster.rigger.env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "COLOUR=" in done.stdout
    assert {name for name in done.stderr.split() if name.startswith("rigger")} == {
        *("rigger", "rigger.__main__", "rigger.cli", "rigger.cli.completion")
    }
    assert not {"json", "typing", "click", "yaml", "dataclasses"} & {*done.stderr.split()}


def test_how_bash_takes_words_apart():
    assert completion._joined(["config", "set", "COLOUR", "=", "gr"]) == (7, ["config", "set", "COLOUR=gr"])
    assert completion._joined(["config", "set", "COLOUR", "="]) == (7, ["config", "set", "COLOUR="])
    assert completion._joined(["a", "b"]) == (0, ["a", "b"])
    assert completion._joined(["a", "b=c", "d"]) == (0, ["a", "b=c", "d"])


STARTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(rigger completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'eval "$(rigger completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "rigger completion fish | source"),
}


@pytest.mark.slow
@pytest.mark.parametrize("shell", STARTS)
def test_in_a_real_shell(cluster, shell, tmp_path):
    """What the Tab key makes of a line is seen by what the line then does."""
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell}")
    program = tmp_path / "bin" / "rigger"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m rigger "$@"\n')
    program.chmod(0o755)
    argv, load = STARTS[shell]
    env = {
        **cluster.rigger.env,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "TERM": "xterm",
        "PS1": "$ ",
    }
    child = pexpect.spawn(argv[0], argv[1:], env=env, dimensions=(40, 120), timeout=60, cwd=str(tmp_path))
    try:
        child.sendline(f"{load}; echo loa''ded")
        child.expect("loaded")
        child.sendline("rigger __complete bash -- config set ''; echo wa''rm")
        child.expect("warm")
        for typed, seen in (
            ("rigger config get COLO\t; echo d''one", r"\bgreen\b[\s\S]*\bdone\b"),
            (
                "rigger config set COLOUR=go\t; rigger config get COLOUR; echo d''one",
                r"\bgold\b[\s\S]*\bdone\b",
            ),
            ("rigger test smo\t; echo d''one", r"smoke: 1 passed[\s\S]*\bdone\b"),
        ):
            before, tab, after = typed.partition("\t")
            child.send(before)
            time.sleep(0.3)
            child.send(tab)
            time.sleep(1.5)
            child.sendline(after)
            child.expect(seen)
    finally:
        child.close(force=True)


def test_only_for_shells_that_it_knows(rigger):
    assert "There is: bash, zsh, fish." in rigger("completion", "tcsh", code=2).err
    for shell, script in SCRIPTS.items():
        assert rigger("completion", shell).out == script
