"""A command line that is right is read without click, and comes to what click makes of it."""

import importlib
import random

import pytest

from cli.test_main import imported
from rigger.cli import clicked, help, parser
from rigger.cli.declared import Argument, Group, Option, Verb, Words
from rigger.errors import BadUsage


def all_verbs():
    for name in help.summaries():
        verb = getattr(
            importlib.import_module(f"rigger.commands.{name.replace('-', '_')}"), name.replace("-", "_")
        )
        if isinstance(verb, Group):
            yield from ((f"{name} {inner}", one) for inner, one in verb.verbs.items())
        else:
            yield name, verb


VERBS = dict(all_verbs())
EVERYTHING = Verb(
    "everything",
    lambda before, **values: 0,
    Words("", ""),
    (
        Option("environment", ("-e", "--environment")),
        Option("flag", ("-f", "--flag"), flag=True, default=False),
        Option("either", ("--either",), ("--neither",), flag=True),
        Option("many", ("-m", "--many"), multiple=True),
        Option("kind", ("--kind",), choices=("a", "b"), default="a"),
        Argument("first"),
        Argument("second", required=False),
        Argument("rest", required=False, many=True),
    ),
)


def word_of(rng, verb):
    """Return a word that may stand on a command line of a verb: an option of it, a value, a slip."""
    names = [name for option in verb.options for name in (*option.names, *option.off)]
    choices = [choice for option in verb.options for choice in option.choices]
    word = rng.choice(
        [*names, *names, *choices, "x", "a=b", "", "-", "--", "-x", "--nope", "é", "-fm", "3", "--help"]
    )
    return word + rng.choice(["", "", "", "=x", "="]) if word.startswith("--") and word != "--help" else word


def click_makes(verb, words):
    """Return what click makes of words: values, or None where it says what is wrong or shows help."""
    try:
        return clicked.values_of(verb, words, "rigger x")
    except (BadUsage, SystemExit):
        return None


@pytest.mark.parametrize("name", [*sorted(VERBS), "everything"])
def test_what_is_read_without_click_is_what_click_reads(name, capsys):
    verb = EVERYTHING if name == "everything" else VERBS[name]
    rng = random.Random(name)
    read = 0
    for _ in range(150):
        words = [word_of(rng, verb) for _ in range(rng.randrange(5))]
        values = parser.values_of(verb, words)
        if values is not None:
            read += 1
            assert values == click_makes(verb, words), words
    assert read


@pytest.mark.parametrize(
    "words",
    [[], ["a", "b", "c", "d", "--kind", "b"], ["--neither", "-m", "1", "a", "-m", "2"], ["--many=", "a"]],
)
def test_plain_words_are_not_left_to_click(words):
    assert (parser.values_of(EVERYTHING, words) is not None) == bool(words)


@pytest.mark.parametrize(
    "line", [["list"], ["list", "-o", "json"], ["-e", "x", "list"], ["doctor", "-o", "json"]]
)
def test_click_is_not_imported_for_what_is_right(line, private_home):
    packages, _ = imported(*line)
    assert "click" not in packages
