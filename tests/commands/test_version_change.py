"""Only an upgrade changes the version of a cluster that exists."""

import json
import os

import pytest
from helpers.platform_repository import Repository, checkout_of, vars_of
from helpers.repositories import git
from helpers.second_machine import forest

UPGRADE = '"rigger upgrade --version 1.10.0"'
ALLOW = "--allow-version-change"


@pytest.fixture
def cluster(rigger, modules):
    cluster = forest(rigger, modules)
    cluster.script("platform", "deploy", 'echo "$TREE_VERSION" >"$RIGGER_STATE_DIR/deployed"')
    cluster.configure("--set", "VERSION=1.9.0")
    cluster.rigger("provision")
    cluster.ran()
    return cluster


def by_set(cluster):
    return cluster.rigger("config", "set", "VERSION=1.10.0")


def by_configure(cluster):
    return cluster.rigger("configure", "--no-input", "--version", "1.10.0")


def by_answers(cluster):
    answers = os.path.join(cluster.rigger.folder, "answers")
    with open(answers, "w") as file:
        file.write("VERSION=1.10.0\n")
    return cluster.rigger("configure", "--no-input", "--answers", answers)


def by_variable(cluster):
    return cluster.rigger("configure", "--no-input", env={"RIGGER_VERSION": "1.10.0"})


def by_vars_file(cluster):
    path = os.path.join(cluster.rigger.folder, "wood.vars")
    with open(path, "w") as file:
        file.write(cluster.content("vars").replace("1.9.0", "1.10.0"))
    return cluster.rigger("configure", "--no-input", "--name", "wood", "--file", path)


def by_editor(cluster):
    return cluster.rigger("config", "edit", env={"EDITOR": "sed -i s/^export.VERSION=.*/VERSION=1.10.0/"})


def by_hand(cluster):
    text = cluster.content("vars").replace("1.9.0", "1.10.0")
    with open(cluster.file("vars"), "w") as file:
        file.write(text)


WAYS = [by_set, by_configure, by_answers, by_variable, by_vars_file, by_editor, by_hand]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_another_version_is_a_wish(cluster, way):
    said = way(cluster)
    if said:
        assert "rigger upgrade --version 1.10.0" in said.out + said.err
        assert "Next:\n    rigger provision" not in said.out
    for words in (["provision"], ["provision", "--again"], ["provision", "--plan"]):
        refused = cluster.rigger(*words, code=3).err
        assert "wood runs 1.9.0, but 1.10.0 is configured" in refused
        assert UPGRADE in refused and ALLOW in refused and '"rigger config set VERSION=1.9.0"' in refused
    assert cluster.ran() == []
    status = cluster.rigger("status").out
    assert "wood: tree 1.9.0 on soil" in status and "rigger upgrade --version 1.10.0\n" in status
    known = json.loads(cluster.rigger("status", "-o", "json").out)
    assert (known["deployed_version"], known["configured_version"]) == ("1.9.0", "1.10.0")
    assert "1.9.0 (1.10.0 configured)" in cluster.rigger("list").out
    [known] = json.loads(cluster.rigger("list", "-o", "json").out)["environments"]
    assert (known["deployed_version"], known["configured_version"]) == ("1.9.0", "1.10.0")
    cluster.rigger("upgrade", "--version", "1.10.0", "--upgrade-style", "graceful")
    assert cluster.ran() == ["platform/backup", "platform/upgrade-graceful", "platform/check"]
    cluster.rigger("provision")
    assert "configured" not in cluster.rigger("list").out


@pytest.mark.slow
def test_a_wish_is_none_of_other_commands_business(cluster):
    for verb in ("check", "tests/grows", "undeploy"):
        cluster.script("platform", verb, 'echo "$TREE_VERSION $VERSION" >>"$RIGGER_ENVIRONMENT_DIR/seen"')
    cluster.script("platform", "backup", 'echo "$VERSION" >"$RIGGER_BACKUP_FILE"')
    by_hand(cluster)
    cluster.rigger("check")
    cluster.rigger("test", "smoke")
    cluster.rigger("backup", "-f", os.path.join(cluster.rigger.folder, "b"))
    cluster.rigger("destroy", "--yes")
    assert cluster.content("seen").split() == ["1.9.0"] * 6
    cluster.rigger("provision")  # nothing is left of that version
    assert cluster.content("modules", "tree", "deployed") == "1.10.0\n"


@pytest.mark.slow
def test_a_resume_brings_the_version_that_was_suspended(cluster):
    for verb in ("suspend", "resume"):
        cluster.script("provider", verb)
    cluster.rigger("suspend", "-y")
    by_set(cluster)
    cluster.rigger("resume")
    assert cluster.content("modules", "tree", "deployed") == "1.9.0\n"
    cluster.rigger("provision", code=3)


@pytest.mark.slow
def test_whoever_means_it_may(cluster):
    by_set(cluster)
    assert "VERSION 1.9.0 -> 1.10.0" in cluster.rigger("provision", "--plan", ALLOW).out
    said = cluster.rigger("provision", ALLOW)
    assert "no backup is made" in said.out + said.err
    assert cluster.content("modules", "tree", "deployed") == "1.10.0\n"
    [allowed] = [r for r in cluster.records() if r["event"] == "version-change-allowed"]
    assert (allowed["from"], allowed["to"]) == ("1.9.0", "1.10.0") and "@" in allowed["by"]
    cluster.rigger("provision")
    cluster.rigger("config", "set", "VERSION=1.9.0")
    older = cluster.rigger("provision", code=3).err
    assert '"rigger upgrade --version 1.9.0 --allow-downgrade"' in older


@pytest.mark.slow
def test_what_was_begun_goes_on_and_goes_nowhere_else(cluster):
    by_set(cluster)
    cluster.script("platform", "deploy", "exit 3")
    cluster.rigger("provision", ALLOW, code=5)
    cluster.rigger("provision", code=5)
    said = cluster.rigger("upgrade", "--version", "1.10.0", "--upgrade-style", "graceful", code=3).err
    assert '"rigger provision"' in said
    cluster.rigger("config", "set", "VERSION=1.9.0")
    assert "wood runs 1.10.0, but 1.9.0 is configured" in cluster.rigger("provision", code=3).err
    cluster.rigger("config", "set", "VERSION=1.10.0")
    cluster.script("platform", "deploy", "")
    cluster.rigger("provision")


@pytest.mark.slow
def test_a_permission_is_for_one_change(cluster):
    by_set(cluster)
    cluster.script("platform", "install", "exit 3")
    cluster.rigger("provision", ALLOW, code=5)
    cluster.rigger("config", "set", "VERSION=1.9.0")
    by_set(cluster)
    cluster.rigger("provision", code=3)


def test_a_default_is_no_way_to_another_version(cluster):
    text = "".join(line for line in cluster.content("vars").splitlines(True) if "VERSION=" not in line)
    with open(cluster.file("vars"), "w") as file:
        file.write(text)
    assert "wood runs 1.9.0, but " in cluster.rigger("provision", code=3).err
    assert cluster.ran() == []


def test_a_version_that_was_never_deployed_can_be_corrected(rigger, modules):
    cluster = forest(rigger, modules)
    cluster.configure("--set", "VERSION=1.8.0")
    cluster.script("platform", "deploy", '[ "$VERSION" != 1.8.0 ]')
    cluster.rigger("provision", code=5)
    cluster.rigger("config", "set", "VERSION=1.9.0")
    cluster.rigger("provision")


def test_other_values_are_provisioned_after_the_upgrade(cluster):
    said = cluster.rigger("config", "set", "VERSION=1.10.0", "COLOUR=red").out
    assert "Next:\n    rigger upgrade --version 1.10.0\n  Then:\n    rigger provision\n" in said


# Versions that lie in a repository


@pytest.fixture
def oak(rigger, tmp_path):
    repository = Repository(tmp_path / "oak.git")
    flags = ["--repository", repository.url, "--provider", "soil", "--trust"]
    rigger("configure", "--defaults", "--name", "oak", *flags, "--version", "1.9.0")
    rigger("provision")
    return repository


def commit_of(rigger):
    return git(checkout_of(rigger), "rev-parse", "HEAD")


@pytest.mark.slow
def test_a_clone_goes_to_another_release_by_an_upgrade(rigger, oak):
    before = commit_of(rigger)
    for words in (
        ["config", "set", "VERSION=1.10.0"],
        ["configure", "--no-input", "--version", "1.10.0", "--trust"],
    ):
        assert "rigger upgrade --version v1.10.0" in str(rigger(*words))
        for refused in (["provision"], ["checkout", "--update"], ["checkout", "--clone"]):
            assert "rigger upgrade --version v1.10.0" in rigger(*refused, code=3).err
        assert commit_of(rigger) == before
    rigger("check")
    rigger("upgrade", "--version", "1.10.0", "--trust")
    assert commit_of(rigger) == git(oak.folder, "rev-parse", "v1.10.0^{commit}")
    rigger("provision")
    assert vars_of(rigger)["VERSION"] == "v1.10.0"


@pytest.mark.slow
def test_a_branch_in_place_of_a_release_is_allowed_by_whoever_means_it(rigger, oak):
    said = rigger("config", "set", "REF=main")
    assert f"rigger provision {ALLOW}" in said.out
    assert f"rigger provision {ALLOW}" in rigger("provision", code=3).err
    rigger("checkout", "--update", "--trust")
    rigger("provision", code=3)
    rigger("provision", ALLOW)
    rigger("provision")
    assert json.loads(rigger("status", "-o", "json").out)["version_change"] is None


@pytest.mark.slow
def test_a_branch_that_moves_on_is_followed_without_ceremony(rigger, tmp_path):
    repository = Repository(tmp_path / "oak.git")
    flags = ["--repository", repository.url, "--provider", "soil", "--trust", "--ref", "main"]
    rigger("configure", "--defaults", "--name", "oak", *flags)
    rigger("provision")
    commit = repository.commit("more", more="even more\n")
    rigger("checkout", "--update", "--trust")
    assert commit_of(rigger) == commit
    rigger("provision")
    with open(os.path.join(checkout_of(rigger), "rigger", "deploy"), "a") as file:
        file.write("echo hacked\n")
    assert "hacked" in rigger("provision", "-v").out


@pytest.mark.slow
def test_in_a_folder_there_is_no_version_to_change(rigger, tmp_path):
    repository = Repository(tmp_path / "oak.git")
    source = ["--repository", repository.url, "--version", "1.9.0", "--trust"]
    rigger("configure", "--defaults", "--name", "oak", "--provider", "soil", *source)
    rigger("provision")
    rigger("configure", "--no-input", "--name", "oak", "--path", repository.folder)
    rigger("provision")
    repository.write("rigger/deploy", "#!/bin/sh\necho hacked\n")
    rigger("provision")
    repository.commit("hacked")
    for words in (["configure", "--no-input"], ["checkout"]):
        rigger(*words)
        rigger("provision")
    git(repository.folder, "checkout", "-q", "v1.9.0")
    rigger("provision")
