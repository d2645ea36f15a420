"""What a script gives, by its lines."""

from __future__ import annotations

import pytest
from helpers.shells import BATCHES
from hypothesis import given, settings
from hypothesis import strategies as st

from rigger import text as texts
from rigger.envfile import output as step_output


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"", {}),
        (b"\n \n", {}),
        (b"A=1\n", {"A": "1"}),
        (b"A=1\nB=2", {"A": "1", "B": "2"}),
        (b"A=\n", {"A": ""}),
        (b"A=1\nA=2\n", {"A": "2"}),
        (b"A= b = 'c' \"$d\" \r\n", {"A": " b = 'c' \"$d\" \r"}),
        (b"A=x<<y\n", {"A": "x<<y"}),
        (b"A=\xff\xfe\n", {"A": "\udcff\udcfe"}),
        (b"A<<END\none\n\n two \nEND\nB=1\n", {"A": "one\n\n two ", "B": "1"}),
        (b"A<<E\nE\n", {"A": ""}),
        (b"A<<E\n\nE", {"A": ""}),
        (b"A<<E\n\n\nE\n", {"A": "\n"}),
        (b"A<<E=F\nx\nE=F\n", {"A": "x"}),
        (b"A<<END\nB=1\n END\nEND \nEND\n", {"A": "B=1\n END\nEND "}),
        (b"PATH=/x\n", {"PATH": "/x"}),
    ],
)
def test_what_a_script_gives(data, values):
    assert step_output.parse_output(data, "output") == (values, [])


@pytest.mark.parametrize(
    ("data", "values", "sentence"),
    [
        (b"A=1\nsome words\nB=2\n", {"A": "1", "B": "2"}, "output, line 2: neither KEY=VALUE nor KEY<<END"),
        (b"LD_PRELOAD=/x\nB=2\n", {"B": "2"}, "output, line 1: LD_PRELOAD is read by the dynamic loader"),
        (b"B=2\nmy key=x\n", {"B": "2"}, "output, line 2: what stands before the = or << is not a name"),
        (
            b"bad key<<E\nA=1\nE\nB=2\n",
            {"B": "2"},
            "output, line 1: what stands before the = or << is not a name",
        ),
        (b"B=2\nA<<END\nx\ny\n", {"B": "2"}, "output, line 2: a block that is never closed"),
        (b"A<<\nB=2\n", {"B": "2"}, "output, line 1: no word after <<"),
        (b"A=a\0b\nB=2\n", {"B": "2"}, "output, line 1: A holds a NUL byte"),
        (b"A=" + b"x" * 140_000 + b"\nB=2\n", {"B": "2"}, "output, line 1: A is 8931 bytes longer"),
    ],
)
def test_what_a_script_gives_wrongly_is_told_and_the_rest_kept(data, values, sentence):
    good, bad = step_output.parse_output(data, "output")
    assert good == values
    assert len(bad) == 1 and bad[0].startswith(sentence)


@given(
    st.lists(st.sampled_from([b"hu-sh", b"=", b"<<", b"\n", b" ", b"A", b"PS1", b"\0", b"\xff"])).map(
        b"".join
    )
)
@settings(max_examples=300, deadline=None, database=None)
def test_a_complaint_about_a_scripts_output_never_holds_a_value(data):
    _, bad = step_output.parse_output(data, "output")
    assert not any("hu-sh" in sentence for sentence in bad)


def test_every_value_can_be_given_as_a_block():
    for values in BATCHES:
        data = texts.encode("".join(f"{name}<<-+-\n{value}\n-+-\n" for name, value in values.items()))
        assert step_output.parse_output(data, "output") == (values, [])
