"""The screens in the manual are those of the real program."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

from rigger.manual import pages


def test_every_screen_that_a_page_shows_was_recorded_and_every_screen_is_shown():
    folder = os.path.join(ROOT, "docs", "pictures")
    recorded = {name[:-4] for name in os.listdir(folder) if name.endswith(".ans")}
    shown = set()
    for page in pages.pages():
        with open(page.path, encoding="utf-8") as file:
            shown |= {line.split()[2] for line in file if line.startswith(".. screen::")}
    assert shown == recorded


@pytest.mark.heavy  # on a busy machine a run that is stopped has got further, or less far
def test_the_screens_are_what_is_shown_now():
    """A whole life of a real cluster; make pictures records it again."""
    program = os.path.join(ROOT, "docs", "_ext", "pictures.py")
    done = subprocess.run(
        [sys.executable, program, "--check"],
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
