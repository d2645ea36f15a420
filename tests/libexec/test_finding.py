"""rigger-finding: how a preflight says what it looked at."""

import os
import subprocess

import pytest
from helpers.steps import LIBEXEC

from rigger.runs.finding import Finding
from rigger.runs.module_preflight import parse


def find(*words):
    return subprocess.run([os.path.join(LIBEXEC, "rigger-finding"), *words], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        (["ok", "mirror", "it answers"], Finding("mirror", True, "it answers")),
        (["fail", "quota", "used\tup\n", "ask for more"], Finding("quota", False, "used up", "ask for more")),
        (["untried", "quota", "nobody tells"], Finding("quota", True, "not tried: nobody tells", "", False)),
        (["ok", "a\x1b[2Jb", "-n %s"], Finding("ab", True, "-n %s")),
    ],
)
def test_what_is_said_is_found(words, finding):
    said = find(*words)
    assert said.returncode == 0 and said.stdout.count("\n") == 1
    assert parse(said.stdout.rstrip("\n")) == finding


@pytest.mark.parametrize("words", [[], ["ok"], ["good", "a", "b"], ["ok", "a", "b", "c", "d"]])
def test_anything_else_is_refused(words):
    assert find(*words).returncode == 2
    assert parse("\t".join(["finding", *words])) is None


def test_other_lines_are_none():
    assert parse("looking at the mirror") is None and parse("") is None
