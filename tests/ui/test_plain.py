"""Prompts on a terminal that can only print lines."""

import io
import sys

import pytest
from helpers.wizards import CTRL_C, CTRL_D, Conversation

from rigger.text import Row
from rigger.ui.plain import MAKE, WRITE, Plain, Prompt


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_can_only_print_lines(tmp_path, term):
    talk = Conversation(tmp_path, term=term)
    talk.sees("Where should").sees("1 local").sees("2 cloud").sees("[local] >").types("7\n").sees(
        "7 is not in the list."
    )
    talk.sees(">").types("2\n").sees("Which region?").sees(">").types("eu\n").sees("eu")
    talk.sees("How many machines?").sees("[3] >").types("99\n").sees("at most 9").sees("[3] >").types("\n")
    talk.sees("Which zones?").sees("[a] >").types("2, a\n").sees("Make backups?").sees("[yes] >").types(
        "no\n"
    )
    talk.sees("A note?").sees(">").types(b"caf\xe9\n").sees("Which token?").sees("not shown").types("bad\n")
    talk.sees("checking").sees("expired").sees("not shown").types("good-token\n")
    talk.sees("Is this right?").sees("NODES 3 default").sees("[Write it] >").types("NODES\n")
    talk.sees("[3] >").types("5\n").sees("Is this right?").sees("NODES 5 asked").sees("[Write it] >").types(
        "1\n"
    )
    talk.sees("RESULT").ends(0)
    assert talk.result == {
        "PROVIDER": "cloud",
        "REGION": "eu",
        "NODES": "5",
        "ZONES": "b,a",
        "BACKUPS": "false",
        "NOTE": "caf\udce9",
        "TOKEN": "good-token",
    }
    assert b"\x1b" not in talk.heard and b"\x07" not in talk.heard and b"owned" not in talk.heard
    assert b"good-token" not in talk.heard[: talk.heard.index(b"RESULT")]


@pytest.mark.parametrize("typed", ["", "make a new one", "1"])
def test_the_default_of_a_list_is_shown_in_words(monkeypatch, capsys, typed):
    rows = [Row(MAKE, ("make a new one",)), Row(WRITE, ("another file",))]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{typed}\n".encode())))
    assert Plain().pick(Prompt("Which SSH key?"), rows, MAKE) == MAKE
    assert "[make a new one] >" in capsys.readouterr().out


@pytest.mark.parametrize("keys, code", [(CTRL_C, 130), (CTRL_D, 2)])
@pytest.mark.parametrize(
    "flags", [{}, {"PROVIDER": "local", "NODES": "3", "ZONES": "a", "BACKUPS": "y", "NOTE": "n"}]
)
def test_plain_prompts_end_the_same_way(tmp_path, keys, code, flags):
    talk = Conversation(tmp_path, flags, term="dumb")
    talk.sees("> ").types(keys).sees("are kept").ends(code)
