"""The README is valid and short, names pages that there are, and shows what rigger prints."""

import os
import re

import docutils.core
from conftest import ROOT

PICTURES = os.path.join(ROOT, "docs", "pictures")

with open(os.path.join(ROOT, "README.rst"), encoding="utf-8") as file:
    README = file.read()


def test_readme_is_valid():
    settings = {"report_level": 2, "halt_level": 2, "warning_stream": False}
    docutils.core.publish_string(README, writer="null", settings_overrides=settings)


def test_readme_is_what_the_package_index_shows():
    assert "\t" not in README
    assert README.isascii()
    assert not [line for line in README.splitlines() if len(line) > 130]


def test_readme_is_short_and_leads_on():
    assert len(README.splitlines()) <= 150
    links = re.findall(r"<([A-Za-z][\w./-]*\.rst)>`_", README)
    assert len(links) > 10
    assert not [link for link in links if not os.path.isfile(os.path.join(ROOT, link))]


def without_digits(line):
    return re.sub(r"[0-9.]+", "", line)


def test_its_transcript_is_what_is_recorded_of_a_real_terminal():
    recorded = set()
    for name in os.listdir(PICTURES):
        if name.endswith(".ans"):
            with open(os.path.join(PICTURES, name), encoding="utf-8") as file:
                text = re.sub(r"\x1b\[[0-9;]*m", "", file.read())
            recorded |= {without_digits(line) for line in text.splitlines()}
    shown = re.search(r"::\n\n((?:    \$ [^\n]*\n|    [^\n]*\n|\n)+)", README.partition("Thirty seconds")[2])[
        1
    ]
    lines = [line[4:] for line in shown.splitlines() if line.strip() and not line.startswith("    $")]
    assert len(lines) > 8
    assert not [line for line in lines if without_digits(line) not in recorded]


def test_its_targets_of_make_are_in_the_makefile():
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as file:
        targets = set(re.findall(r"^([a-z-]+):", file.read(), re.M))
    named = set(re.findall(r"(?:``|^    |\")make ([a-z-]+)", README, re.M))
    assert {"quickstart", "test"} <= named <= targets
