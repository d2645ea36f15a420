"""Rigger's own scripts: what is done inside of it is what they would do."""

import os
import re

import pytest

from rigger.files import PACKAGE
from rigger.modules.kinds import STEPS
from rigger.runs import own_scripts

LIBEXEC = os.path.join(PACKAGE, "libexec")
SCRIPTS = [os.path.join(folder, verb) for folder in STEPS.values() for verb in sorted(os.listdir(folder))]


def read(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: os.path.relpath(script, LIBEXEC))
def test_the_same_function_of_the_same_module(script, monkeypatch):
    """A script starts a program with its verb, and that a file which calls `main` of a module with all that it gets."""
    program, verb = re.search(r'\nexec "\$\{0%/\*\}/\.\./(rigger-\w+)" (\w+)\n\Z', read(script)).groups()
    file = re.search(
        r'\nexec "\$\{RIGGER_PYTHON:-python3\}" "\$\{0%/\*\}/(\w+\.py)" "\$@"\n\Z', read(LIBEXEC, program)
    )[1]
    module = re.search(
        r"\nfrom ([\w.]+) import main  # noqa: E402\n\nsys.exit\(main\(sys.argv\[1:\]\)\)\n\Z",
        read(LIBEXEC, file),
    )[1]
    monkeypatch.setattr(f"{module}.main", lambda words: (module, words))
    assert own_scripts.inside(script)() == (module, [verb])


def test_other_scripts_are_started(tmp_path):
    assert own_scripts.inside(str(tmp_path / "create")) is None
    assert own_scripts.inside(os.path.join(PACKAGE, "platforms", "noop", "check")) is None
