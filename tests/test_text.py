"""Text for people: how wide it is, and how it is shown without driving the terminal."""

from __future__ import annotations

import pytest
from helpers.shells import BYTES_WITHOUT_NUL
from hypothesis import given, settings

from rigger import text as texts
from rigger.text import (
    Row,
    aligned,
    cell_width,
    folded,
    narrowed,
    plain,
    printable,
    sentence,
    shorten,
    table_rows,
    visible,
)


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("node", 4), ("漢字", 4), ("e\u0301", 1), ("é", 1), ("a\x01é", 2), ("👍", 2)],
)
def test_width_on_the_terminal(text, width):
    assert cell_width(text) == width


def test_both_layouts_agree_on_widths():
    rows = [("漢字", "one"), ("ab", "two")]
    assert table_rows(rows) == ["漢字  one", "ab    two"]
    assert [first + last for first, last in aligned([Row(a, (a, b)) for a, b in rows], 80)] == [
        "漢字   one",
        "ab     two",
    ]


def test_four_ways_to_show_a_text():
    text = "a\x1b[31mb\nc"
    assert printable(text) == "a?[31mb?c"
    assert plain(text) == "abc"
    assert visible(text) == "a\\x1b[31mb\\nc"
    assert sentence(text) == "ab c"


@pytest.mark.parametrize(
    "seconds, words",
    [(0.5, "0.5 s"), (45, "45 s"), (600.0, "10 min"), (3900, "1 h 5 min"), (3661, "1 h 1 min 1 s")],
)
def test_durations_in_words(seconds, words):
    assert texts.in_words(seconds) == words


@given(BYTES_WITHOUT_NUL)
@settings(max_examples=200, deadline=None, database=None)
def test_any_bytes_survive_being_text(value):
    data = texts.encode(value)
    assert texts.encode(texts.decode(data)) == data


@pytest.mark.parametrize(
    "text, shown",
    [
        ("plain", "plain"),
        ("two\n lines\t!", "two lines !"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1bPq payload\x1b\\after", "after"),
        ("\x9b31mC1\x07", "31mC1"),
        ("right\u202eleft\u200b", "right left"),
        ("half\udc80", "half"),
    ],
)
def test_sentences_cannot_drive_the_terminal(text, shown):
    assert sentence(text) == shown


@pytest.mark.parametrize(
    "value, shown",
    [
        ("a b", "a b"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[2J", r"\x1b[2J"),
        ("caf\udce9", r"caf\xe9"),
        ("\u202e", r"\u202e"),
        ("é漢", "é漢"),
    ],
)
def test_values_show_what_cannot_be_printed(value, shown):
    assert visible(value) == shown


@pytest.mark.parametrize("width", range(0, 40))
def test_rows_fit(width):
    rows = [
        Row("a", ("short", "quiet words that go on")),
        Row("b", ("漢字" * 30, "é" * 99)),
        Row("c", ("\n", "")),
        Row("", ("one",)),
    ]
    for bright, quiet in aligned(rows, width):
        assert cell_width(bright + quiet) <= width
    assert cell_width(shorten("漢字漢字漢字", width)) <= width


def test_columns_are_aligned():
    rows = [Row("x", ("x", "1", "quiet")), Row("long", ("longer", "22", "")), Row("漢", ("漢", "3", "quiet"))]
    assert [plain + quiet for plain, quiet in aligned(rows, 60)] == [
        "x        1    quiet",
        "longer   22",
        "漢       3    quiet",
    ]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("short", 20, ["short"]),
        ("  one two three four", 12, ["  one two", "    three", "    four"]),
        ('Type "rigger config set NODES=3": now', 24, ["Type", '  "rigger config set NODES=3":', "  now"]),
        ("    rigger restore /a/very/long/path x", 20, ["    rigger restore /a/very/long/path x"]),
        ("rigger: one two three", 12, ["rigger: one", "  two three"]),
        ("a\n\nb", 5, ["a", "", "b"]),
    ],
)
def test_folded_lines_keep_commands_in_one_piece(text, width, lines):
    assert folded(text, width).split("\n") == lines


def test_narrow_columns():
    assert narrowed([3, 30, 40], 200) == [3, 30, 40]
    assert narrowed([3, 30, 40], 60) == [3, 30, 23]
    assert narrowed([3, 30, 40], 40) == [3, 25, 8]


@pytest.mark.parametrize(
    ("said", "addressed"),
    [
        ("  rigger logs 12 2", "  rigger -e other logs 12 2"),
        (
            'Type "rigger provision", or rigger destroy.',
            'Type "rigger -e other provision", or rigger -e other destroy.',
        ),
        ("rigger list, rigger use x", "rigger list, rigger use x"),
        ("rigger deploy stage, rigger image list", "rigger deploy stage, rigger image list"),
        ('Type "rigger --help".', 'Type "rigger --help".'),
        ("rigger -e this status", "rigger -e this status"),
        ("the trigger pulls", "the trigger pulls"),
    ],
)
def test_commands_name_the_environment_that_they_are_about(said, addressed):
    assert texts.addressed(said, "other") == addressed
