"""What programs printed, on a terminal."""

import re
import sys

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigger.ui.tame import Tamed, tame, tame_text

WILD = {
    "the title": b"\x1b]0;pwned\x07",
    "a clipboard": b"\x1b]52;c;cHduZWQ=\x1b\\",
    "a clear": b"\x1b[2J\x1b[H",
    "a question": b"\x1b[6n\x1bc",
    "another screen": b"\x1b[?1049h",
    "a DCS": b"\x1bP$q\x1b\\",
    "eight bits": "\x9b2J\x9d0;x\x9c".encode(),
    "letters in another order": "\u202egnp.txt\u202c \u2066x\u2069".encode(),
    "bells and backspaces": b"\x07\x08\x08\x0e",
}
COLOURS = b"\x1b[1;31mred\x1b[0m \x1b[38:2:1:2:3mtrue\x1b[m\ta\r\n"


@pytest.mark.parametrize("how", WILD)
def test_what_drives_a_terminal_does_not(how):
    said = tame(b"before " + WILD[how] + b" after\n")
    assert said.startswith(b"before ") and said.endswith(b" after\n")
    assert b"\x1b" not in said and said.decode().replace("\n", "").isprintable()


def test_colours_and_letters_stay():
    assert tame(COLOURS) == COLOURS
    assert tame("grüße ✓ \N{NO-BREAK SPACE}".encode()) == "grüße ✓ \N{NO-BREAK SPACE}".encode()


@given(
    st.lists(st.sampled_from([*WILD.values(), COLOURS, b"text", b"\x1b", b"\xc2", b"\xe2\x80", b"["])),
    st.integers(1, 7),
)
def test_wherever_it_is_cut(parts, size):
    data = b"".join(parts) + b"."
    stream = Tamed()
    assert b"".join(stream.feed(data[at : at + size]) for at in range(0, len(data), size)) == tame(data)


# What drives a terminal, each kind by itself.
PLAINLY = (
    rb"\x1b(?!\[[0-9;:]{0,40}m)|\xc2[\x80-\x9f]|\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])"
    rb"|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]"
)


@given(
    st.lists(
        st.sampled_from(
            [bytes([byte]) for byte in b"\x1b[[0;:m\xc2\xe2\x80\x81\xaa\xa6\x85\xc3ab\t\n\x00\x07\x7f"]
        )
    )
)
def test_whatever_comes_is_tamed_as_said_plainly(parts):
    assert tame(b"".join(parts)) == re.sub(PLAINLY, b"", b"".join(parts))


def test_a_block_that_drives_nothing_is_passed_on_as_it_is():
    block = b"2026-11-27T10:00:00Z node-1\tapplied\r\n" * 100
    assert tame(block) is block


def test_colours_as_long_as_they_may_be_are_whole_wherever_they_are_cut():
    colour = b"\x1b[" + b"3" * 40 + b"m"
    for at in range(len(colour)):
        stream = Tamed()
        assert (
            stream.feed(b"a" * 100 + colour[:at]) + stream.feed(colour[at:] + b"b")
            == b"a" * 100 + colour + b"b"
        )


def test_lines_have_the_colours_of_rigger_alone():
    assert tame_text("\x1b[31mred\x1b[0m\x1b[2J", colours=False) == "[31mred[0m[2J"
    assert tame_text("\x1b[31mred\x1b[0m\x1b[2J", colours=True) == "\x1b[31mred\x1b[0m[2J"


SHOWS = """
from rigger.ui.printer import Printer, prepare_streams
prepare_streams()
printer = Printer(verbose=True)
wild = "a\\x1b]0;pwned\\x07\\x1b[2Jb"
printer.line(wild); printer.warn(wild); printer.aside(wild); printer.table([(wild, wild)])
printer.difference({"A": wild}, {"A": wild + "c"})
printer.step_started(1, 1, "x", ""); printer.output(wild.encode()); printer.step_finished("failed", 1, good=False)
printer.pass_on(wild.encode()); printer.data(wild.encode() + b"\\n")
printer.flush()
"""


def test_nothing_that_is_printed_drives_a_terminal(tmp_path):
    terminal = pexpect.spawn(sys.executable, ["-c", SHOWS], timeout=60)
    said = terminal.read()
    assert b"pwned" in said and b"\x1b]" not in said and b"\x1b[2J" not in said and b"\x07" not in said
