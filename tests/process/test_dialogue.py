"""A program that asks over pipes and is answered."""

import os

import pytest

from rigger.errors import StepFailed
from rigger.process.dialogue import Dialogue

ASKS = r"""
    printf 'making ready\n'
    printf '2\0ask\0Which colour?\0' >&"$1"
    IFS= read -r -d '' answer <&"$2"
    printf 'it is %s, said %s\n' "$answer" "$3"
    exit 7
"""


@pytest.fixture
def talk(world):
    """Start a script that is given two descriptors and its last word."""
    talks = []

    def start(text, output):
        argv = [world.script(text), "last"]
        talks.append(Dialogue(argv, cwd=world.folder, env=world.env, output=output))
        return talks[-1]

    yield start
    for one in talks:
        one.close()
    assert world.living() == []


def test_a_question_its_answer_and_the_end(talk):
    heard = bytearray()
    program = talk(ASKS, heard.extend)
    assert program.receive() == [b"ask", b"Which colour?"]
    assert program.exit_code is None
    program.reply(b"d\xffrk green")
    assert program.receive() is None
    assert program.exit_code == 7
    assert bytes(heard) == b"making ready\nit is d\xffrk green, said last\n"


def test_messages_that_come_at_once_are_received_one_by_one(talk):
    program = talk(r"""printf '1\0one\0002\0two\0\0000\0' >&"$1" """, bytearray().extend)
    assert [program.receive() for _ in range(4)] == [[b"one"], [b"two", b""], [], None]
    assert program.exit_code == 0


def test_an_answer_to_a_program_that_has_ended_is_nobodys(talk):
    program = talk("kill -9 $$", bytearray().extend)
    assert program.receive() is None
    program.reply(b"x" * 100_000)
    assert program.exit_code == 128 + 9


def test_closing_ends_it_and_what_it_started(talk, world):
    program = talk("""sleep 600 &\nprintf '0\\0' >&"$1"\nsleep 600""", bytearray().extend)
    assert program.receive() == []
    assert len(world.living()) >= 2
    before = len(os.listdir("/proc/self/fd"))
    program.close()
    program.close()
    assert world.living() == []
    assert len(os.listdir("/proc/self/fd")) < before


def test_one_that_cannot_be_started_leaves_no_pipe_open(world):
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(StepFailed):
        Dialogue([world.path("none"), "x"], cwd=world.folder, env=world.env, output=print)
    assert len(os.listdir("/proc/self/fd")) == before
