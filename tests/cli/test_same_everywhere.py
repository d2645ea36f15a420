"""What is the same for every command: who takes --yes, and which exit code says what."""

import os

import pytest
from conftest import ROOT
from helpers.clusters import Cluster
from helpers.without_terminal import configured

from rigger.cli import app, help
from rigger.cli.declared import Group
from rigger.cli.main import every_verb, find_verb, run
from rigger.errors import Declined, RiggerError
from rigger.operations.provision import provision
from rigger.ui.wizard import Wizard

# Every command, with arguments that it takes, and what it exits with where there is no environment (3) or it needs none.
EVERY = {
    "configure": ("--help", 0),
    "provision": ("", 3),
    "test": ("smoke", 3),
    "destroy": ("", 3),
    "status": ("", 3),
    "check": ("", 3),
    "history": ("", 3),
    "blame": ("NODES", 3),
    "diff": ("1 2", 3),
    "attest": ("", 3),
    "verify": ("nothing", 2),
    "approve": (f"1:{'0' * 64}", 3),
    "logs": ("", 3),
    "ssh": ("", 3),
    "audit": ("", 3),
    "leftovers": ("", 3),
    "doctor": ("", 0),
    "run": ("create", 3),
    "graph": ("", 3),
    "docs": ("", 0),
    "config get": ("", 3),
    "config set": ("NODES=1", 3),
    "config unset": ("NODES", 3),
    "config diff": ("", 3),
    "config edit": ("", 3),
    "checkout": ("", 3),
    "upgrade": ("", 3),
    "backup": ("", 3),
    "restore": ("file", 3),
    "terraform": ("state list", 3),
    "suspend": ("", 3),
    "resume": ("", 3),
    "setup-clients": ("", 3),
    "save": ("", 3),
    "bundle inspect": ("nothing", 2),
    "bundle verify": ("nothing", 2),
    "bundle diff": ("nothing", 2),
    "provider list": ("", 0),
    "provider new": ("kiln", 0),
    "platform list": ("", 0),
    "platform new": ("oven", 0),
    "module check": ("nothing", 2),
    "module schema": ("", 0),
    "scale": ("kafka", 3),
    "module new": ("cache", 0),
    "module add": ("kafka", 3),
    "module remove": ("kafka", 3),
    "module list": ("", 3),
    "module info": ("kafka", 3),
    "module search": ("", 3),
    "repository add": ("nothing", 2),
    "repository remove": ("nothing", 2),
    "repository list": ("", 0),
    "repository update": ("", 0),
    "offline export": ("", 3),
    "offline import": ("nothing", 2),
    "deploy": ("stage", 3),
    "release create": ("", 3),
    "release make-table": ("", 3),
    "release list": ("", 3),
    "release show": ("8f6d", 3),
    "release diff": ("stage prod", 3),
    "release status": ("", 3),
    "release repair": ("", 3),
    "image list": ("", 3),
    "image set": ("latest api=a:1", 3),
    "list": ("", 0),
    "use": ("wood", 3),
    "forget": ("wood", 3),
    "completion": ("bash", 0),
    "shellinit": ("", 3),
    "shell-reset": ("", 0),
}
LOOKS = (
    *("status", "check", "history", "logs", "doctor", "config get", "config diff", "list", "shellinit"),
    *("completion", "docs", "graph", "blame", "diff", "verify"),
    *("shell-reset", "bundle inspect", "bundle verify", "bundle diff", "provider list", "platform list"),
    *("module check", "module schema", "module list", "module info", "module search", "repository list"),
    *("release list", "release show", "release diff", "release status", "image list"),
)


def verbs():
    for name in help.summaries():
        verb = find_verb(name)
        if isinstance(verb, Group):
            yield from ((f"{name} {inner}", one) for inner, one in verb.verbs.items())
        else:
            yield name, verb


def code_of(*words):
    """Return the exit code of a command that is called in this process."""
    try:
        return run([*words])
    except RiggerError as problem:
        return problem.exit_code
    except SystemExit as stop:
        return stop.code or 0


@pytest.fixture
def cluster(rigger, modules, monkeypatch, tmp_path):
    cluster = Cluster(rigger, modules)
    for name in ("RIGGER_PROVIDER_PATH", "RIGGER_PLATFORM_PATH", "NOTED"):
        monkeypatch.setenv(name, rigger.env[name])
    monkeypatch.chdir(tmp_path)
    return cluster


def test_every_command_is_in_the_table():
    assert {path for path, _ in verbs()} == {*EVERY}


@pytest.mark.parametrize("path", EVERY)
def test_what_changes_something_takes_yes(path):
    verb = dict(verbs())[path]
    [yes] = [one for one in verb.options if "--yes" in one.names] or [None]
    assert (yes is None) == (path in LOOKS)
    assert yes is None or (yes in app.SHARED and yes.names == ("-y", "--yes"))


@pytest.mark.parametrize("path", EVERY)
def test_without_an_environment(path, monkeypatch, tmp_path, capfd):
    monkeypatch.chdir(tmp_path)
    words, code = EVERY[path]
    assert code_of(*path.split(), *words.split()) == code
    if code == 3:
        of_a_project = app.HIDDEN in dict(verbs())[path].parameters
        assert code_of("-e", "none", *path.split(), *words.split()) == (2 if of_a_project else 3)


@pytest.mark.parametrize(
    "words",
    ["check", "test smoke", "backup", "restore {file}", "upgrade", "suspend", "resume", "ssh", "ssh node-1"],
)
def test_without_a_cluster(cluster, tmp_path, words, capfd):
    cluster.script("platform", "backup")
    cluster.script("platform", "restore")
    configured(cluster)
    (tmp_path / "file").write_text("data")
    assert code_of(*words.format(file=tmp_path / "file").split()) == 3
    assert cluster.ran() == []


@pytest.mark.parametrize(
    "words",
    [
        "configure --file {none}",
        "configure --answers {none}",
        "configure --path {none}",
        "configure --provider {none}",
        "configure --platform {none}",
        "restore {none}",
        "bundle inspect {none}",
        "bundle verify {none}",
        "bundle diff {none}",
        "bundle diff {none} {none}",
        "audit --bundle {none}",
        "module check {none}",
        "save --sign {none}",
        "save --with-secrets --passphrase-file {none}",
        "backup --file {none}/file",
    ],
)
def test_a_file_that_is_named_and_is_not_there(cluster, tmp_path, words, capfd):
    provision(configured(cluster, TOKEN="s3cret-token"))
    cluster.script("platform", "backup")
    cluster.script("platform", "restore")
    assert code_of(*words.format(none=tmp_path / "none").split()) == 2


@pytest.fixture
def shrinking(cluster, tmp_path):
    """A cluster of which something may be left over."""
    (tmp_path / "file").write_text("data")
    cluster.script("platform", "restore")
    environment = configured(cluster)
    provision(environment)
    cluster.script("provider", "destroy", "exit 1")
    assert code_of("destroy", "--yes") == 5
    cluster.script("provider", "destroy")
    return environment


@pytest.mark.parametrize("words", ["destroy", "restore {file}", "leftovers --all-gone"])
def test_a_person_who_says_no_and_nobody_to_ask(shrinking, cluster, tmp_path, words, monkeypatch, capfd):
    words = words.format(file=tmp_path / "file").split()
    cluster.ran()
    assert code_of(*words) == 2, "nobody can be asked"
    monkeypatch.setattr(app, "has_terminal", lambda: True)
    monkeypatch.setattr(Wizard, "confirm", lambda *_, **__: False)
    monkeypatch.setattr(Wizard, "type_back", lambda *_, **__: False)
    assert code_of(*words) == Declined.exit_code == 10
    assert cluster.ran() == []


def test_no_said_to_other_questions(cluster, tmp_path, monkeypatch, capfd):
    environment = configured(cluster)
    assert code_of("forget", "wood") == 2
    provision(environment)
    assert code_of("config", "set", "NODES=1") == 0 and code_of("provision") == 2
    monkeypatch.setattr(app, "has_terminal", lambda: True)
    monkeypatch.setattr(Wizard, "confirm", lambda *_, **__: False)
    monkeypatch.setattr(Wizard, "type_back", lambda *_, **__: False)
    assert code_of("provision") == 10
    monkeypatch.setenv("EDITOR", "false")
    assert code_of("config", "edit") == 10


def test_what_takes_a_request_carries_it_out_once():
    """A command that takes an id and does not heed it would run twice."""
    taking = [path for path, verb in every_verb() if any(one.name == "request" for one in verb.options)]
    assert len(taking) > 12
    for path in taking:
        with open(
            os.path.join(ROOT, "rigger", "commands", f"{path.split()[0].replace('-', '_')}.py")
        ) as file:
            once = "app.once(" if path != "deploy" else "operation.deploy("  # whose records know the request
            assert once in file.read(), path
