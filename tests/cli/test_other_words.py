"""Words of other tools lead on to rigger's own, and never to what removes something."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigger.cli import help, other_words
from rigger.cli.other_words import DESTRUCTIVE, command_hint, option_hint

WORDS = [word for words in other_words._COMMANDS for word in words]


def hint(word):
    return "\n".join(command_hint(word, help.summaries()))


@pytest.mark.parametrize("word", WORDS)
def test_what_other_tools_call_it_leads_to_commands_that_exist(word):
    assert word not in help.summaries()
    commands = re.findall(r"\n  (.*)", hint(word))
    assert commands and not [name for name in DESTRUCTIVE if name in hint(word)]
    for command in commands:
        found = re.search(r"rigger (--)?([a-z-]+)", command)
        assert found[1] or found[2] in help.summaries(), command


@pytest.mark.parametrize("word", other_words._REMOVALS)
def test_a_word_for_removing_is_explained_and_nothing_is_proposed(rigger, word):
    assert word not in help.summaries() and "did you mean" not in hint(word)
    assert "To remove the cluster with its machines and data:\n  rigger destroy" in hint(word)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("provison", "provision"),
        ("destory", "destroy"),
        ("destroi", "destroy"),
        ("forgett", "forget"),
        ("restor", "restore"),
        ("statsu", "status"),
        ("PROVISION", "provision"),
    ],
)
def test_a_slip_of_the_keys(word, meant):
    assert hint(word).strip() == f"(did you mean {meant}?)"


@pytest.mark.parametrize("word", ["deploy", "destore", "distro", "employ", "target", "format", "story"])
def test_what_only_resembles_a_command_that_removes_is_not_taken_for_it(word):
    assert not [name for name in DESTRUCTIVE if f"mean {name}" in hint(word)]


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12))
def test_no_word_is_far_from_the_command_that_removes_which_it_is_taken_for(word):
    for name in DESTRUCTIVE:
        if f"mean {name}" in hint(word):
            assert word[:3] == name[:3] and abs(len(word) - len(name)) <= 2


@pytest.mark.parametrize(
    ("option", "known", "said"),
    [
        ("--json", ["-o", "--output"], "; here it is -o json"),
        ("--force", ["--yes"], "; here it is --yes"),
        ("--dry-run", ["--plan"], "; here it is --plan"),
        ("-f", ["--follow"], "; here it is --follow"),
        ("--wiht-secrets", ["--with-secrets"], " (did you mean --with-secrets?)"),
        ("--nothing", ["-y"], ""),
    ],
)
def test_options_of_other_tools(option, known, said):
    assert option_hint(option, known) == (said, "")


def test_on_the_command_line(rigger):
    said = rigger("up", code=2).err
    assert said == (
        "rigger: There is no command 'up'.\n  Create the cluster, or bring it up to date:\n    rigger provision\n"
    )
    assert "here it is -o json" in rigger("status", "--json", code=2).err
    assert (
        "  Load a vars file or a bundle:\n    rigger configure --file FILE"
        in rigger("provision", "-f", code=2).err
    )
    assert "  Show rigger's version:\n    rigger --version\n" in rigger("version", code=2).err
    assert "did you mean" not in rigger("rm", code=2).err
    assert rigger("nonsense", code=2).err.endswith("  All commands:\n    rigger --help --all\n")
