"""The terminal: whether there is one, and that it is left as it was."""

import re
import sys

import pytest
from helpers.clusters import wait_for
from helpers.wizards import CTRL_C, CTRL_D, ENTER, Conversation

from rigger.ui.terminal import has_terminal


def test_without_a_terminal_nobody_can_be_asked(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert not has_terminal()


# Whole conversations on a real terminal


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_secret_typed_before_its_prompt_is_not_shown(tmp_path, term):
    flags = {"PROVIDER": "local", "NODES": "3", "ZONES": "a", "BACKUPS": "y", "NOTE": "n"}
    talk = Conversation(tmp_path, flags, term=term)
    talk.sees("NOTE is n").sees("Which token?").sees(">").types("slow" + ENTER)
    talk.sees("checking").types("good-token")  # the next prompt is not there yet
    talk.sees("expired.").sees(">").types(CTRL_C).ends(130)
    assert b"good-token" not in talk.heard


def test_a_secret_typed_early_counts_where_lines_are_read(tmp_path):
    flags = {"PROVIDER": "local", "NODES": "3", "ZONES": "a", "BACKUPS": "y", "NOTE": "n"}
    talk = Conversation(tmp_path, flags, term="dumb")
    talk.sees("Which token?").sees(">").types("slow\n").sees("checking").types("good-token\n")
    talk.sees("expired.").sees("Is this right?").types("\n").sees("RESULT").ends(0)
    assert talk.result["TOKEN"] == "good-token"


@pytest.mark.parametrize("term", ["xterm", "dumb"])
@pytest.mark.parametrize("keys", [CTRL_C, CTRL_D])
def test_the_terminal_is_left_as_it_was(tmp_path, term, keys):
    import termios

    talk = Conversation(tmp_path, term=term)
    before = termios.tcgetattr(talk.child.child_fd)
    talk.sees("Where should").sees("This machine").types(keys).sees("are kept")
    assert termios.tcgetattr(talk.child.child_fd) == before


def test_no_colour_when_it_is_not_wanted(tmp_path):
    talk = Conversation(tmp_path, {"PROVIDER": "local"}, NO_COLOR="1")
    talk.sees("PROVIDER is local").sees("How many machines?").types("4" + ENTER).sees("How many machines? 4")
    talk.types(CTRL_C).ends(130)
    colours = re.findall(rb"\x1b\[([0-9;]*)m", talk.heard)
    assert not [
        c
        for c in colours
        if any(30 <= int(n or 0) <= 48 or 90 <= int(n or 0) for n in c.split(b";"))
        and c != b"39"
        and c != b"49"
    ]


def test_a_hang_up_leaves_nothing_behind(tmp_path):
    talk = Conversation(tmp_path).sees("Where should")
    talk.child.ptyproc.fileobj.close()
    wait_for(lambda: not talk.child.isalive())
