"""rigger platform: a new one, also in a git repository of its own, and the list."""

import json
import os
import subprocess

import pytest


@pytest.mark.slow
def test_a_new_one_works_on_any_provider(rigger, tmp_path):
    said = rigger("platform", "new", "2hello").out
    assert "rigger configure --platform ./2hello" in said and "repository" not in said
    rigger("configure", "--defaults", "--platform", "./2hello", "--provider", "local", "--set", "NODES=1")
    rigger("provision")
    assert "smoke: 1 passed" in rigger("test", "smoke").out
    rigger("config", "set", "P2HELLO_GREETING=Ahoy")
    said = rigger("provision").out
    assert "P2HELLO_GREETING Hello -> Ahoy" in said
    rigger("destroy", "--yes")


def test_what_is_written(rigger, tmp_path):
    rigger("platform", "new", "hello")
    folder = tmp_path / "hello"
    together = ""
    verbs = ["install", "deploy", "check", "undeploy", "scale", "backup", "restore"]
    for name in (*verbs, "upgrade-graceful", "upgrade-inplace", "tests/greets"):
        text = (folder / name).read_text()
        assert text.startswith("#!/usr/bin/env bash\n# Summary: ") and os.access(folder / name, os.X_OK)
        together += text
    together += (
        (folder / "lib" / "greeter.sh").read_text()
        + (folder / "rigger.yml").read_text()
        + (folder / "README.md").read_text()
    )
    assert "SCAFFOLD" not in together and "HELLO_GREETING" in together
    for taught in (
        "rigger-save-vars", "idempotent", "on nothing at all", "type: secret", "rigger-node", "timeouts:",
        "upgrades:", "RIGGER_FROM_VERSION", "RIGGER_LEAVING", "RIGGER_BACKUP_FILE", "rigger-service start",
        "rigger-figure", "77: skipped", "git-tags", "contrib/rigger",
    ):  # fmt: skip
        assert taught in together, taught


def test_in_a_repository_of_its_own(rigger, tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path / "repo"], check=True)
    rigger.folder = str(tmp_path / "repo")
    said = rigger("platform", "new", "hello", "--path", "rigger/").out
    assert "rigger configure --repository URL" in said
    assert (tmp_path / "repo" / "rigger" / "rigger.yml").is_file()
    said = rigger("platform", "new", "other").out
    assert "rigger.yml is looked for in the root, rigger, .rigger, contrib/rigger" in said
    assert "hello conforms" in rigger("module", "check", ".").out


@pytest.mark.slow
def test_from_its_repository_with_providers_of_both_interfaces(rigger, tmp_path):
    repository = tmp_path / "repo"
    subprocess.run(["git", "init", "-q", repository], check=True)
    rigger.folder = str(repository)
    rigger("platform", "new", "rose", "--path", "rigger/")
    rigger("provider", "new", "soil", "--path", "contrib/soil")
    write_old_provider(repository / "contrib" / "old")
    git = ("git", "-C", repository, "-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (["add", "."], ["commit", "-q", "-m", "All"], ["tag", "v1.0.0"]):
        subprocess.run([*git, *words], check=True)
    given = ("--no-input", "--trust", "--repository", repository, "--provider")

    rigger("configure", "--name", "new", *given, "soil", "--set", "ROSE_GREETING=Ahoy")
    said = rigger("provision").out
    assert "rose 1.0.0 on soil" in said.replace("v1.0.0", "1.0.0")
    assert "smoke: 1 passed" in rigger("test", "smoke").out
    assert len(json.loads(open(rigger.path("environments", "new", "inventory.json")).read())) == 2
    rigger("destroy", "--yes")

    rigger("configure", "--name", "old", *given, "old", "--set", "SOIL=clay")
    assert "contrib/old/create.sh" in rigger("provision").out
    assert "smoke: 1 passed" in rigger("test", "smoke").out
    assert rigger("config", "get", "BED").out == "clay bed\n"
    rows = json.loads(rigger("provider", "list", "-o", "json").out)["modules"]
    assert [(row["name"], row["interface"], row["problem"]) for row in rows if row["from"] == "checkout"] == [
        ("soil", 2, ""), ("old", 1, ""),
    ]  # fmt: skip
    rigger("destroy", "--yes")


def write_old_provider(folder):
    """Write a provider of interface 1: it has no nodes, and what its create made is a var."""
    folder.mkdir()
    (folder / "config.sh").write_text('prompt "Which soil?" SOIL loam\n')
    (folder / "create.sh").write_text('export BED="$SOIL bed"\nrigger-save-vars BED\n')
    for name in ("install.sh", "check.sh", "destroy.sh"):
        (folder / name).write_text("true\n")


def test_a_name_that_rigger_keeps_for_itself(rigger, tmp_path):
    said = rigger("platform", "new", "rigger", code=2)
    assert "'rigger' cannot be its name" in said.err
    assert os.listdir(tmp_path) == []


def test_the_list(rigger, modules):
    modules.write("platform", "tree", "description: Grows\n")
    rows = {row["name"]: row for row in json.loads(rigger("platform", "list", "-o", "json").out)["modules"]}
    assert rows["tree"]["from"] == "$RIGGER_PLATFORM_PATH" and rows["tree"]["description"] == "Grows"
    assert rows["etcd"]["from"] == "rigger itself"
