"""The launcher that is installed as `rigger`: where it finds the rest, and that Python's own start answers no Ctrl-C."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from rigger import __version__
from tests.conftest import ROOT

PROGRAMS = os.path.join(ROOT, "rigger", "bin")

# What Python imports at the end of its own start, before any code of rigger's: a Ctrl-C that comes just then.
STOPPED_IN_PYTHONS_START = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"


@pytest.fixture
def installed(tmp_path):
    """The two programs, as pip installs them."""
    folder = tmp_path / "installed" / "bin"
    folder.mkdir(parents=True)
    shutil.copy(os.path.join(PROGRAMS, "rigger"), folder)
    with open(os.path.join(PROGRAMS, "rigger-python")) as file:
        first, rest = file.read().split("\n", 1)
    assert first == "#!python"
    (folder / "rigger-python").write_text(f"#!{sys.executable}\n{rest}")
    (folder / "rigger-python").chmod(0o755)
    return folder


def hear_ctrl_c():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests may ignore it


def run(argv, rigger, cwd=None, **env):
    env = {**rigger.env, **env}
    return subprocess.run(argv, env=env, cwd=cwd, capture_output=True, text=True, preexec_fn=hear_ctrl_c)


def test_ctrl_c_in_pythons_own_start_is_a_word_and_no_traceback(rigger, installed, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(STOPPED_IN_PYTHONS_START)
    done = run([installed / "rigger", "list"], rigger, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert (done.returncode, done.stderr, done.stdout) == (130, "rigger: Interrupted.\n", "")


def test_commands_of_a_step_hear_ctrl_c(rigger, installed, modules):
    """Nothing that rigger starts is started with Ctrl-C held back, as rigger itself was."""
    modules.write("provider", "deaf", create="grep SigBlk /proc/self/status")
    run([installed / "rigger", "configure", "--defaults", "--provider", "deaf"], rigger)
    done = run([installed / "rigger", "provision", "-y"], rigger)
    assert "SigBlk:\t0000000000000000" in done.stdout + done.stderr


def test_an_env_that_cannot_hold_a_signal_back_is_done_without(rigger, installed, tmp_path):
    (tmp_path / "env").write_text("#!/bin/sh\necho 'env: unrecognized option' >&2\nexit 125\n")
    (tmp_path / "env").chmod(0o755)
    done = run([installed / "rigger", "--version"], rigger, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"rigger {__version__}\n", "")


def test_the_rest_is_found_through_links_and_from_its_own_folder(rigger, installed, tmp_path):
    os.symlink(os.path.relpath(installed / "rigger", tmp_path), tmp_path / "first")
    os.symlink("first", tmp_path / "second")
    for argv, cwd in ((["./second"], tmp_path), ([tmp_path / "second"], "/"), (["sh", "rigger"], installed)):
        assert run([*argv, "--version"], rigger, cwd=cwd).stdout == f"rigger {__version__}\n", argv
    found = run(["second", "--version"], rigger, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert found.stdout == f"rigger {__version__}\n"
