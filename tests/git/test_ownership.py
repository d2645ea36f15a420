"""A repository of somebody else, as real git sees it."""

import os
import subprocess

import pytest

from rigger.git.ownership import ownership_problem


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "it's a repository"
    subprocess.run(["git", "init", "-q", made], check=True)
    return str(made)


def test_ones_own_is_no_problem(folder):
    assert ownership_problem(folder) is None


def test_no_repository_is_no_problem_of_this_kind(tmp_path):
    assert ownership_problem(str(tmp_path)) is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_git_and_its_own_remedy(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SUDO_UID", raising=False)
    subprocess.run(["chown", "-R", "54321", folder], check=True)
    problem = ownership_problem(folder)
    assert problem and "belongs to somebody else" in problem.message
    assert problem.remedy.startswith("git config --global --add safe.directory ")
    subprocess.run(["sh", "-c", problem.remedy], check=True)
    assert ownership_problem(folder) is None
