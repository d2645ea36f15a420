"""The life of an add-on in a sandbox: a scaffold passes, and what breaks the contract is named."""

import os

import pytest
from helpers import images
from helpers.written_modules import Written


@pytest.fixture
def addon(tmp_path):
    return Written("addon", tmp_path / "members")


def test_the_scaffold_gives_no_reason_for_advice(addon):
    assert addon.fails() == [] and addon.advice() == []


@pytest.mark.slow
def test_the_scaffold_passes(tried, addon, rigger):
    report = tried(addon)
    for wanted in (
        "init: proposes the same again",
        "apply: succeeds, with all that it promises",
        "plan: says that nothing would change",
        "audit: finds nothing that was changed by hand",
        "apply: can be repeated",
        "destroy: removes it",
        "apply: succeeds after a destroy",
        "destroy: works while the whole cluster is destroyed",
        ": no process stays behind",
    ):
        assert wanted in report["passed"]
    assert report["advice"] == [] and not os.path.exists(rigger.home)


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["terraform", "ansible", "container"])
def test_the_scaffold_of_each_kind_passes(tried, tmp_path, rigger, tool):
    if tool == "ansible":
        pytest.importorskip("ansible_runner", reason="ansible-runner is not installed")
    addon = Written("addon", tmp_path / "members", tool)
    if tool == "container":
        images.require()
        rigger.env["RIGGER_CONTAINER_ARGUMENTS"] = images.arguments()
        images.make("localhost/members:1", (addon.folder / "image" / "main").read_text())
    report = tried(addon)
    for wanted in ("plan: says that nothing would change", "apply: succeeds after a destroy"):
        assert wanted in report["passed"]
    assert report["advice"] == []
    if tool == "container":
        images.podman("rmi", "--force", "localhost/members:1")


LIVES = {
    "plan": ("echo more\nexit 8\n", "plan: says that something would change right after apply"),
    "init": ('rigger-save-vars SIZE="$RANDOM"\n', "init: proposes something else when nothing changed"),
    "apply": ("true\n", "members is not in its output"),
    "destroy": ("exit 3\n", "destroy exited 3"),
    "audit": ("exit 8\n", "audit found differences"),
}


@pytest.mark.slow
@pytest.mark.parametrize("verb", LIVES)
def test_what_breaks_the_contract_is_named(tried, addon, verb):
    body, said = LIVES[verb]
    with open(addon.folder / verb, "w") as file:
        file.write(f"#!/usr/bin/env bash\n# Summary: {verb}\n{body}")
    failed = tried(addon, code=6)["failed"]
    assert [line for line in failed if said in line], failed
