"""Text for people: how wide it is, and how it is shown without driving the terminal."""

import pytest

from rigger.text import Row, aligned, cell_width, plain, printable, sentence, table_rows, visible


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
