"""What the scripts of bash that ship do not do, as it fails now and then alone."""

import glob
import os
import re

from conftest import ROOT

PLACES = ("rigger/addons", "rigger/platforms", "rigger/libexec", "rigger/scaffolds", "providers")


def scripts():
    for place in PLACES:
        for path in glob.glob(os.path.join(ROOT, place, "**"), recursive=True):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    text = file.read().decode("utf-8", "replace")
                if re.match(r"#!.*\bbash\b|# shellcheck shell=bash", text):
                    yield path, text


def test_no_condition_ends_a_pipe_early():
    """grep -q closes the pipe at its first match: what still writes to it is killed, and with pipefail that is a no."""
    found = {path: re.findall(r".*\|\s*grep -\w*q.*", text) for path, text in scripts()}
    assert len(found) > 50
    assert {path: lines for path, lines in found.items() if lines} == {}
