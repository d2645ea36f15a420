"""How rigger finds its own modules: at once, and as Python would."""

import compileall
import os
import py_compile
import subprocess
import sys
import textwrap

import pytest

import rigger

PROGRAM = """
import importlib, sys
sys.path.insert(0, {folder!r})
import rigger
rigger.__path__.insert(0, {folder!r} + "/rigger")
from rigger.imports import Finder, find_our_own
find_our_own()
import rigger.own.one
print(rigger.own.one.VALUE, type(rigger.own.one.__loader__).__name__, rigger.own.one.__file__)
"""


@pytest.fixture
def folder(tmp_path):
    own = tmp_path / "rigger" / "own"
    own.mkdir(parents=True)
    (own / "__init__.py").write_text("")
    (own / "one.py").write_text("VALUE = 1\n")
    return tmp_path


def loaded(folder, *options):
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(PROGRAM.format(folder=str(folder)))],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.path.dirname(os.path.dirname(rigger.__file__))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    value, loader, file = done.stdout.split()
    assert file == str(folder / "rigger" / "own" / "one.py")
    return int(value), loader


def test_a_module_with_its_bytecode_is_found_at_once(folder):
    compileall.compile_dir(folder, quiet=1)
    assert loaded(folder) == (1, "Loader")


def test_one_without_bytecode_is_python_s_affair_which_writes_it(folder):
    assert loaded(folder) == (1, "SourceFileLoader")
    assert loaded(folder) == (1, "Loader")


def test_source_that_changed_counts(folder):
    compileall.compile_dir(folder, quiet=1)
    (folder / "rigger" / "own" / "one.py").write_text("VALUE = 22\n")
    assert loaded(folder) == (22, "SourceFileLoader")


def test_source_of_the_same_size_and_another_time_counts(folder):
    compileall.compile_dir(folder, quiet=1)
    file = folder / "rigger" / "own" / "one.py"
    file.write_text("VALUE = 2\n")
    os.utime(file, (1, 1))
    assert loaded(folder) == (2, "SourceFileLoader")


def test_bytecode_that_holds_by_a_hash_is_python_s_affair(folder):
    compileall.compile_dir(folder, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    (folder / "rigger" / "own" / "one.py").write_text("VALUE = 2\n")
    assert loaded(folder) == (2, "SourceFileLoader")


@pytest.mark.parametrize("option", ["-O", "-Xpycache_prefix={}/elsewhere"])
def test_bytecode_of_another_kind_or_place_is_python_s_affair(folder, option):
    compileall.compile_dir(folder, quiet=1)
    assert loaded(folder, option.format(folder)) == (1, "SourceFileLoader")
