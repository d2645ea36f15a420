"""Scripts that their own shell, or Python, cannot read."""

import re
import shutil

import pytest

from rigger.conformance import rules, subject
from rigger.conformance.finding import FAIL, Finding
from rigger.conformance.subject import Subject
from rigger.conformance.syntax import shellcheck, syntax


def found(module) -> list[Finding]:
    return [*syntax(Subject(subject.load(str(module.folder))))]


def test_what_can_be_read_gives_nothing_to_say(provider, platform):
    provider.script("plan", "def f():\n    pass\n", shebang="#!/usr/bin/env python3\n")
    assert found(provider) == found(platform) == []


@pytest.mark.parametrize(
    ("shebang", "body", "line"),
    [
        ("#!/bin/sh\n", "true\nif true\n", 7),
        ("#!/bin/bash\n", "echo $((1 + \n", 5),
        ("#!/usr/bin/env python3\n", "true\ndef f(:\n", 6),
    ],
    ids=["sh", "bash", "python"],
)
def test_the_line_that_cannot_be_read_is_named(provider, shebang, body, line):
    provider.script("plan", body, shebang=shebang)
    (finding,) = found(provider)
    assert (finding.level, finding.file, finding.line) == (FAIL, "plan", line)
    assert finding.text and "plan" not in finding.text


@pytest.mark.skipif(shutil.which("ksh") is not None, reason="ksh is here")
def test_a_shell_that_is_not_here_judges_nothing(provider):
    provider.script("plan", "if true\n", shebang="#!/bin/ksh\n")
    assert found(provider) == []


def test_a_file_of_bash_alone_is_not_read_as_sh(provider):
    provider.script("plan", "words=(a b)\n[[ ${words[0]} == a ]]\n", shebang="#!/usr/bin/env bash\n")
    assert found(provider) == []


def test_what_the_person_has_shells_read_first_is_not_the_modules(provider, tmp_path, monkeypatch):
    (tmp_path / "rc").write_text("if (\n")
    monkeypatch.setenv("BASH_ENV", str(tmp_path / "rc"))
    provider.script("plan", "true\n", shebang="#!/bin/bash\n")
    assert found(provider) == []


@pytest.mark.parametrize(
    "body", [b"x = 1\0\n", b"-" * 50_000 + b"1\n", b"x = '\xff'\n"], ids=["a NUL", "too deep", "no UTF-8"]
)
def test_python_that_its_parser_cannot_take_is_a_finding(provider, body):
    (provider.folder / "plan").write_bytes(b"#!/usr/bin/env python3\n" + body)
    (finding,) = found(provider)
    assert (finding.level, finding.file) == (FAIL, "plan") and finding.text


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no ShellCheck here")
def test_shellcheck_is_advice(provider):
    provider.script("plan", 'cd "$1"\nrm $2\n')
    found = provider.advice()
    assert any(re.match(r"plan:6: SC2086 ", line) for line in found), found
    assert provider.fails() == []


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no ShellCheck here")
def test_shellcheck_takes_a_name_that_looks_like_an_option(provider):
    provider.script("-x.sh", 'cd "$1"\nrm $2\n')
    assert any(finding.file == "-x.sh" for finding in shellcheck(Subject(subject.load(str(provider.folder)))))


def test_without_shellcheck_it_is_said_that_it_was_not_run(provider, monkeypatch, tmp_path):
    provider.script("plan", "rm $2\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    [finding] = shellcheck(Subject(subject.load(str(provider.folder))))
    assert (finding.level, finding.text.partition(",")[0]) == ("SKIP", "ShellCheck: not run")
    assert "ShellCheck was asked" not in [
        finding.text for finding in rules.examine(subject.load(str(provider.folder)))
    ]


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="ShellCheck is not here")
def test_what_a_sourced_file_sets_is_for_others_to_read(provider):
    (provider.folder / "lib").mkdir()
    (provider.folder / "lib" / "shared.sh").write_text("# What the scripts share.\nfarm=$HOME/farm\n")
    provider.script("plan", "farm=$HOME/farm\n")
    said = [*shellcheck(Subject(subject.load(str(provider.folder))))]
    assert [(finding.file, finding.text[:6]) for finding in said] == [("plan", "SC2034")]
