"""The words of `rigger --help`, before any library is imported."""

import re

import pytest

from rigger.cli import help


def test_every_verb_has_one_line_under_its_heading():
    text = help.text()
    for heading, commands in help.COMMANDS.items():
        section = text.split(f"\n{heading}:\n", 1)[1].split("\n\n", 1)[0]
        assert [line.split()[0] for line in section.splitlines()] == [*commands]


def test_no_verb_stands_under_two_headings():
    named = [name for commands in help.COMMANDS.values() for name in commands]
    assert len(named) == len({*named}) and [*help.summaries()] == named


@pytest.mark.parametrize("name, summary", help.summaries().items())
def test_a_summary_is_one_sentence_that_fits_its_column(name, summary):
    assert re.fullmatch(r"[A-Z].*[.)?]", summary) and "\n" not in summary
    assert len(name) <= 14 and f"\n  {name:<14} {summary}\n" in help.text()


def test_the_columns_are_aligned_and_it_ends_with_where_to_start():
    lines = help.text().splitlines()
    assert lines[0] == "Usage: rigger [-e NAME] COMMAND [OPTIONS]" and lines[2] == f"  {help.SUMMARY}"
    assert lines[-1] == "Start with: rigger configure && rigger provision"
    assert help.text().endswith("provision\n") and not [line for line in lines if len(line) > 90]
    assert {
        line.index(words) for line in lines for words in help.OPTIONS.values() if line.endswith(words)
    } == {27}
