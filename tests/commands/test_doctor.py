"""rigger doctor"""

import json
import os
import shutil
import subprocess

import pytest
from helpers.clusters import PROVIDER
from helpers.repositories import git, put

TOOLS = (
    PROVIDER
    + """
    tools: [shovel, "spade>=2.10", {name: rake, remedy: grow one on a tree}, sh]
"""
)


def tool(cluster, name, version):
    folder = os.path.join(cluster.rigger.folder, "tools")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(f"#!/bin/sh\necho '{name} version v{version} (built 2020)'\n")
    os.chmod(path, 0o755)
    cluster.rigger.env["PATH"] = f"{folder}:{os.environ['PATH']}"


def findings(cluster, code=0):
    said = cluster.rigger("doctor", "-o", "json", code=code)
    return {finding["what"]: finding for finding in json.loads(said.out)["findings"]}


def test_before_anything_is_configured(rigger):
    assert 'Ready for "rigger configure"' in rigger("doctor").out
    assert {finding["what"] for finding in json.loads(rigger("doctor", "-o", "json").out)["findings"]} == {
        "folder",
        "disk",
        "temporary files",
    }


def test_all_is_well(cluster):
    assert cluster.rigger("doctor").out.endswith("Ready.\n")
    assert cluster.ran() == []


def test_missing_and_old_tools_with_their_remedies(cluster, modules):
    modules.write("provider", "soil", TOOLS)
    tool(cluster, "spade", "2.9.1")
    found = findings(cluster, code=4)
    assert not found["tool shovel"]["good"] and "not on PATH; soil needs it" in found["tool shovel"]["detail"]
    assert not found["tool spade"]["good"] and "2.9.1, but soil needs 2.10" in found["tool spade"]["detail"]
    assert found["tool rake"]["remedy"] == "grow one on a tree"
    assert found["tool sh"]["good"]
    refused = cluster.rigger("provision", code=4)
    assert "grow one on a tree" in refused.err and "nothing was started" in refused.err
    assert cluster.ran() == []
    for name in ("shovel", "rake"):
        tool(cluster, name, "1")
    tool(cluster, "spade", "2.10")
    assert all(finding["good"] for finding in findings(cluster).values())


@pytest.mark.slow
def test_credentials_are_tried(cluster, modules):
    modules.write(
        "provider", "soil", PROVIDER.replace("type: secret,", "type: secret, check: bin/try-token,")
    )
    modules.script(
        cluster.folders["provider"],
        "bin/try-token",
        'case $TOKEN in good*) ;; *) echo "who is $TOKEN?"; exit 1 ;; esac',
    )
    cluster.rigger("config", "set", "TOKEN=good-for-now")
    assert findings(cluster)["TOKEN"]["good"]
    modules.script(cluster.folders["provider"], "bin/try-token", 'echo "who is $TOKEN?"; exit 1')
    found = findings(cluster, code=4)
    assert found["TOKEN"]["detail"] == "who is ***?" and "config set TOKEN" in found["TOKEN"]["remedy"]
    assert "good-for-now" not in str(cluster.rigger("provision", code=4))
    assert cluster.ran() == []


@pytest.mark.slow
def test_what_modules_look_at_themselves(cluster):
    found = findings(cluster)
    assert (
        not found["preflight of soil"]["tried"]
        and "has no script preflight" in found["preflight of soil"]["detail"]
    )
    cluster.script(
        "provider",
        "preflight",
        'rigger-finding ok cloud "$REGION answers"; rigger-finding untried quota "nobody tells"',
    )
    cluster.script(
        "platform", "preflight", "echo 'error: the mirror is away' >&2; echo '  wait a while' >&2; exit 1"
    )
    found = findings(cluster, code=4)
    assert found["cloud"] == {
        "what": "cloud",
        "good": True,
        "detail": "here answers",
        "remedy": "",
        "tried": True,
    }
    assert not found["quota"]["tried"] and found["quota"]["good"]
    failed = found["preflight of tree"]
    assert (failed["good"], failed["detail"], failed["remedy"]) == (
        False,
        "the mirror is away",
        "wait a while",
    )
    said = cluster.rigger("doctor", code=4).out
    assert "?     quota" in said and "FAIL  preflight of tree" in said
    cluster.script("platform", "preflight", "for n in 1 2 3; do rigger-finding fail machines pot-$n; done")
    assert "Not ready: machines." in cluster.rigger("doctor", code=4).err
    cluster.script("platform", "preflight", "rigger-finding ok mirror fast")
    cluster.rigger("doctor")
    cluster.rigger("provision")
    assert "nothing of it is about to be made" in findings(cluster)["preflight of tree"]["detail"]


@pytest.mark.parametrize("folder", ["/nowhere/at/all", "/proc/version"])
def test_a_temporary_folder_that_is_none(cluster, folder):
    found = findings(cluster)["temporary files"]
    assert found["good"]
    cluster.rigger.env["TMPDIR"] = folder
    found = findings(cluster, code=4)["temporary files"]
    assert f"TMPDIR is {folder}, which is no folder" == found["detail"] and "unset TMPDIR" in found["remedy"]
    assert "nothing was started" in cluster.rigger("provision", code=4).err and cluster.ran() == []


def test_interpreters_that_are_missing(cluster):
    def write(role, verb, program):
        path = os.path.join(cluster.folders[role], verb)
        with open(path, "w") as file:
            file.write(f"#!/usr/bin/env {program}\n")

    write("provider", "install", "nosuchshell")
    found = findings(cluster, code=4)["interpreter"]
    assert "is run by nosuchshell, which is not on this machine" in found["detail"] and not found["good"]
    assert "nosuchshell" in cluster.rigger("provision", code=4).err and cluster.ran() == []
    cluster.script("provider", "install")
    write("platform", "check", "/opt/nowhere/python9")
    found = findings(cluster)["interpreter"]
    assert found["good"] and not found["tried"] and "an install before it may bring it" in found["detail"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_a_disk_that_runs_no_programs(cluster):
    folder = cluster.folders["platform"]
    mounted = subprocess.run(["mount", "--bind", folder, folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        if subprocess.run(["mount", "-o", "remount,bind,noexec", folder]).returncode:
            pytest.skip("no disk can be mounted noexec here")
        found = findings(cluster, code=4)["noexec"]
        assert folder in found["detail"] and "noexec" in found["remedy"]
        assert "noexec" in cluster.rigger("provision", code=4).err and cluster.ran() == []
    finally:
        subprocess.run(["umount", folder])


def submodule_left_empty(folder):
    named = '[submodule "vendor"]\n\tpath = rigger/vendor\n\turl = https://git.example.test/vendor.git\n'
    put(folder, ".gitmodules", named)
    git(folder, "add", ".gitmodules")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},rigger/vendor")
    git(folder, "commit", "-qm", "vendor")


def no_more_than_a_pointer(folder):
    put(folder, ".gitattributes", "big filter=lfs\n")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'1' * 64}\nsize 9\n"
    put(folder, "rigger/big", pointer)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "big")


def of_somebody_else(folder):
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    subprocess.run(["chown", "-R", "54321", folder], check=True)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (submodule_left_empty, "submodule update --init"),
        (no_more_than_a_pointer, "git lfs pull"),
        (of_somebody_else, "safe.directory"),
    ],
)
def test_a_repository_that_provision_would_not_take(rigger, repository, monkeypatch, spoil, said):
    monkeypatch.delenv("SUDO_UID", raising=False)
    options = ("--name", "oak", "--provider", "noop", "--path", os.path.join(repository.folder, "rigger"))
    rigger("configure", "--no-input", *options)
    spoil(repository.folder)
    assert said in rigger("doctor", code=4).out
    assert said in rigger("provision", code=4).err


def test_a_clone_that_is_missing_is_no_failure_where_provision_fetches_it_again(rigger, repository):
    options = ("--repository", repository.folder, "--provider", "noop", "--platform", "oak")
    rigger("configure", "--no-input", "--trust", "--name", "oak", *options)
    clone = os.path.join(rigger.home, "environments/oak/checkout")
    shutil.rmtree(clone)
    said = rigger("doctor").out
    assert f"ok  repository       {clone} is missing; provision clones it again" in said
    assert "not tried: tools, scripts and credentials" in said
    assert not os.path.exists(clone)
    os.rename(repository.folder, f"{repository.folder}-moved")
    said = rigger("doctor", code=4).out
    assert "is missing and cannot be cloned again" in said and "git ls-remote" in said
    os.rename(f"{repository.folder}-moved", repository.folder)
    rigger("provision", "--yes")


def test_a_repository_of_somebody_else_is_refused_with_what_git_says(rigger, repository, monkeypatch):
    monkeypatch.delenv("SUDO_UID", raising=False)
    of_somebody_else(repository.folder)
    options = ("--repository", repository.folder, "--provider", "noop", "--platform", "oak")
    refused = rigger("configure", "--no-input", "--trust", "--name", "oak", *options, code=4).err
    assert "do what git says: git config --global --add safe.directory" in refused
    assert "Check the URL" not in refused


@pytest.mark.parametrize(
    "told", ["", '[submodule "v"]\n\tpath = rigger/vendor\n', '[submodule "v"]\n\tpath = v\n\turl = /v\n']
)
def test_a_folder_that_stands_for_a_commit_that_nobody_can_fetch_is_named(rigger, repository, told):
    put(repository.folder, ".gitmodules", told)
    git(repository.folder, "add", ".gitmodules")
    git(repository.folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},rigger/vendor")
    git(repository.folder, "commit", "-qm", "vendor")
    options = ("--repository", repository.folder, "--ref", "main", "--provider", "noop", "--platform", "oak")
    said = rigger("configure", "--no-input", "--trust", "--name", "oak", *options)
    assert "are empty: rigger/vendor" in said.err + said.out
    assert "are empty: rigger/vendor" in rigger("doctor").out
