"""A module that writes into its own folder is tried as a copy, without the state that is in there."""

import os
import shutil

import pytest
from helpers.kiln_repository import MAIN, TERRAFORM, Kiln
from helpers.repositories import git
from helpers.terraform_provider import needs_terraform


def contents(folder):
    """Return every file below a folder with its bytes."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(at, name), "rb") as file:
                found[os.path.relpath(os.path.join(at, name), folder)] = file.read()
    return found


def tried(kiln, folder):
    """Run `module check --run`, whatever it says, and return what it said; the live state and machines must be as they were."""
    before, machines = contents(folder), kiln.made()
    said = kiln.rigger("module", "check", "--run", folder, code=None)
    assert contents(folder) == before
    assert {*machines} <= {*kiln.made()}  # a Terraform that is killed may leave one of its own
    return said


@pytest.mark.slow
@pytest.mark.parametrize("ignored", ["pots\n", ""])
def test_the_checkout_of_a_live_cluster(rigger, tmp_path, ignored):
    kiln = Kiln(rigger, tmp_path, ignored=ignored)
    kiln.configure()
    rigger("provision")
    said = tried(kiln, kiln.folder())
    assert "the scripts write to their own folder, which is kept: pots" in said.out
    rigger("destroy", "--yes")
    assert kiln.made() == []


@pytest.mark.slow
def test_a_folder_that_is_no_repository(rigger, tmp_path):
    kiln = Kiln(rigger, tmp_path)
    git(tmp_path, "clone", "-q", kiln.url, tmp_path / "mine")
    shutil.rmtree(tmp_path / "mine" / ".git")
    kiln.configure("--path", tmp_path / "mine")
    rigger("provision")
    assert len(kiln.made()) == 1
    tried(kiln, str(tmp_path / "mine" / "contrib" / "kiln"))
    rigger("check")


@pytest.mark.slow
def test_scripts_find_their_neighbours_and_those_that_git_does_not_know_yet(rigger, tmp_path):
    kiln = Kiln(rigger, tmp_path)
    kiln.write("contrib/common/words", "words\n")
    git(kiln.upstream, "add", "-A")
    kiln.write("contrib/kiln/library.sh", "read -r word <../common/words\n")
    kiln.script("install", '. ./library.sh\n[ "$word" = words ]\n')
    said = tried(kiln, os.path.join(kiln.upstream, "contrib", "kiln"))
    assert "PASS    install: succeeds" in said.out or "install: succeeds" in said.out


@needs_terraform
@pytest.mark.slow
def test_a_live_state_of_terraform(rigger, tmp_path):
    kiln = Kiln(rigger, tmp_path, TERRAFORM, main_tf=MAIN)
    kiln.configure()
    rigger("provision")
    live = {*kiln.made()}
    tried(kiln, kiln.folder())
    rigger("check")
    rigger("destroy", "--yes")
    assert live.isdisjoint(kiln.made())
