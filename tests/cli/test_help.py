"""The words of `rigger --help`, before any library is imported."""

import os
import re

import pytest
from helpers.screens import screen

from rigger.cli import help


def test_every_verb_has_one_line_under_its_heading():
    text = help.text(everything=True)
    for heading, commands in help.COMMANDS.items():
        section = text.split(f"\n{heading}:\n", 1)[1].split("\n\n", 1)[0]
        assert [line.split()[0] for line in section.splitlines()] == [*commands]


def test_no_verb_stands_under_two_headings():
    named = [name for commands in help.COMMANDS.values() for name in commands]
    assert len(named) == len({*named}) and [*help.summaries()] == named


@pytest.mark.parametrize("name, summary", help.summaries().items())
def test_a_summary_is_one_sentence_that_fits_its_column(name, summary):
    assert re.fullmatch(r"[A-Z].*[.)?]", summary) and "\n" not in summary
    assert len(name) <= 14 and f"\n  {name:<14} {summary}\n" in help.text(everything=True)


@pytest.mark.parametrize("everything", [False, True])
def test_the_columns_are_aligned(everything):
    text = help.text(everything)
    lines = text.splitlines()
    assert lines[0] == "Usage: rigger [-e NAME] COMMAND [OPTIONS]" and lines[2] == f"  {help.SUMMARY}"
    assert not [line for line in lines if len(line) > 79]
    assert {
        line.index(words) for line in lines for words in help.OPTIONS.values() if line.endswith(words)
    } == {26}


def test_the_everyday_commands_fit_a_screen_of_24_lines_with_a_prompt_below(rigger):
    shown = screen(rigger, "--help")
    assert shown == help.text().splitlines() and len(shown) < 24
    assert {*help.EVERYDAY} < {*help.summaries()} and help.EVERYDAY[:2] == ("configure", "provision")


@pytest.mark.parametrize("words", [["--help", "--all"], ["-h", "--all"]])
def test_all_commands_are_shown_where_that_is_asked_for(rigger, words):
    assert rigger(*words).out == help.text(everything=True)


@pytest.mark.parametrize("name", ["config", "module", "provider", "platform", "bundle"])
def test_a_group_alone_prints_its_help(rigger, name):
    said = rigger(name).out
    assert said == rigger(name, "--help").out and "Commands:" in said
    assert "..." not in said.partition("Commands:")[2] and max(map(len, said.splitlines())) <= 80


@pytest.fixture
def kept(rigger):
    """Return what keeps the help of commands: a command's file, as wide as tests see it."""
    os.makedirs(rigger.home, exist_ok=True)
    return lambda path, width=80: rigger.path("cache", "help", f"{path} {width}")


@pytest.mark.parametrize("path", ["config get", "config", "status", "shell-reset"])
def test_help_is_read_the_second_time(rigger, kept, path):
    words = path.split()
    said = rigger(*words, "--help").out
    with open(kept(path)) as file:
        assert file.read().partition("\n")[2] == said
    with open(kept(path), "a") as file:
        file.write("as it was kept\n")
    assert rigger(*words, "--help").out == rigger(*words, "-h").out == f"{said}as it was kept\n"
    assert rigger("shell", "reset", "--help", code=2).err  # nothing like it is taken for it


@pytest.mark.parametrize("damage", ["", "old code\nwrong\n", "\0\xff"])
def test_kept_help_that_is_not_right_is_made_again(rigger, kept, damage):
    said = rigger("status", "--help").out
    with open(kept("status"), "w", encoding="latin-1") as file:
        file.write(damage)
    assert rigger("status", "--help").out == said
    with open(kept("status")) as file:
        assert file.read().endswith(said)


def test_kept_help_is_as_wide_as_the_terminal(rigger, kept):
    narrow = rigger("status", "--help", env={"COLUMNS": "50"}).out
    wide = rigger("status", "--help", env={"COLUMNS": "200"}).out
    assert max(map(len, narrow.splitlines())) <= 50 < max(map(len, wide.splitlines())) <= 80
    assert os.path.exists(kept("status", 50)) and os.path.exists(kept("status"))
    assert rigger("status", "--help", env={"COLUMNS": "50"}).out == narrow


def test_help_makes_no_home(rigger):
    rigger("status", "--help")
    assert not os.path.exists(rigger.home)
