"""The command that gives the same answers without a prompt."""

import subprocess

import pytest
from helpers.interviews import interview
from helpers.shells import SHELLS
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rigger import text as texts
from rigger.configuration.equivalent import equivalent, shell_word
from rigger.questions.model import Question

PROVIDER = Question("PROVIDER", "?", flag="--provider", pinned=True)
NODES = Question("NODES", "?", default="3")
TOKEN = Question("TOKEN", "?", type="secret")


def command(*questions, **answers):
    talk = interview(*questions)
    while question := talk.advance():
        talk.answer(question, answers[question.name])
    return equivalent("my wood", talk)


def test_flags_assignments_and_secrets():
    said = command(PROVIDER, NODES, TOKEN, PROVIDER="aws", NODES="5", TOKEN="hush")
    assert said == (
        "RIGGER_TOKEN=\"$RIGGER_TOKEN\" rigger configure --no-input --name 'my wood' --provider aws --set NODES=5"
    )


def test_a_default_that_nobody_changed_is_left_out():
    assert command(PROVIDER, NODES, PROVIDER="aws", NODES="3").endswith("--provider aws")


def test_a_repository_was_agreed_to_and_the_kind_of_source_follows_from_it(tmp_path):
    source = Question("PLATFORM_SOURCE", "?", pinned=True)
    repository = Question("REPOSITORY", "?", flag="--repository", pinned=True)
    said = command(source, repository, PLATFORM_SOURCE="release", REPOSITORY=str(tmp_path))
    assert said == f"rigger configure --no-input --trust --name 'my wood' --repository {tmp_path}"


def test_a_folder_is_named_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(PROVIDER, PROVIDER="./soil").endswith(f"--provider {tmp_path}/soil")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=20
    )
)
@example(["", "it's", "a\nb", "ä", "\udcff", "\x1b[2J", "$(id)", "\u202e", "-n", "\\", "\n", "ä'\n"])
def test_every_text_comes_back_as_one_word_in_printable_characters(words):
    written = " ".join(map(shell_word, words))
    assert all(character.isprintable() or character == "\n" for character in written)
    for shell in ("bash", "dash"):
        said = subprocess.run(
            [*SHELLS[shell], "-c", rf"printf '%s\0' {written}"], capture_output=True, check=True
        )
        assert said.stdout == b"".join(texts.encode(word) + b"\0" for word in words)


@pytest.mark.parametrize(
    ("text", "word"), [("", "''"), ("plain", "plain"), ("ä", "'ä'"), ("\udcff", "\"$(printf '\\377')\"")]
)
def test_a_word_is_as_plain_as_can_be(text, word):
    assert shell_word(text) == word
