"""Questions, review and whole conversations as a person meets them."""

import re
import subprocess
import sys

import pytest
from conftest import ROOT
from helpers.wizards import (
    BACKSPACE,
    CTRL_C,
    CTRL_D,
    DOWN,
    ENTER,
    ESC,
    ESCAPE,
    NODES,
    TOKEN,
    UP,
    Conversation,
    fill,
    interview,
    value_of,
)

from rigger.errors import BadUsage, Interrupted
from rigger.questions.interview import Interview
from rigger.questions.model import Choice, Question
from rigger.questions.sources import Sources
from rigger.ui.wizard import Wizard

# A conversation's rules


def test_every_answer_is_kept_at_once(pipe):
    _, kept = fill(pipe, ENTER + "secret" + ENTER, NODES, TOKEN)
    assert kept == [{"NODES": "3"}, {"NODES": "3", "TOKEN": "secret"}]


def test_given_values_are_told_once_with_their_source(pipe, capsys):
    talk = interview(
        NODES,
        Question("REGION", "?"),
        Question("ZONE", "?"),
        Question("NOTE", "?"),
        Question("LAST", "?"),
        Question("USUAL", "?", default="x", advanced=True),
        flags={"NODES": "5"},
        environ={"RIGGER_REGION": "eu"},
        answers={"ZONE": "b"},
        answers_name="my.env",
        saved={"NOTE": "\x1b[31mred"},
    )
    pipe.send_text("a" + ENTER)
    wizard = Wizard()
    wizard.fill(talk, lambda: None)
    wizard.fill(talk, lambda: None)
    shown = [line.strip() for line in ESCAPE.sub("", capsys.readouterr().out).splitlines()]
    assert [line for line in shown if " is " in line] == [
        "NODES is 5 (from --set)",
        "REGION is eu (from $RIGGER_REGION)",
        "ZONE is b (from my.env)",
    ]  # what is saved stands in the review, with all the rest


def test_a_saved_value_that_does_not_hold_is_explained(pipe, capsys):
    assert value_of(pipe, "4" + ENTER, NODES, saved={"NODES": "40"}) == "4"
    assert "The value so far cannot stay: NODES must be at most 9, not 40." in capsys.readouterr().out


def test_an_answer_that_the_program_refuses_is_asked_again(pipe, capsys):
    def program(folder, command, values):
        return (0, "", "") if values["HOST"] == "up.example" else (1, "", "no such host")

    pipe.send_text("down.example" + ENTER + "up.example" + ENTER)
    talk = interview(Question("HOST", "Which host?", check="ping"), program=program)
    Wizard().fill(talk, lambda: None)
    assert talk.values() == {"HOST": "up.example"}
    shown = capsys.readouterr().out
    assert shown.index("checking") < shown.index("HOST was not accepted: no such host.")


def test_a_refused_secret_is_not_offered_again(pipe):
    ran = []

    def program(folder, command, values):
        ran.append(values["TOKEN"])
        if values["TOKEN"] == "bad":
            pipe.send_text(ENTER + "good" + ENTER)  # what is typed in one go would be one paste
        return (0 if values["TOKEN"] == "good" else 1), "", "expired"

    pipe.send_text("bad" + ENTER)
    Wizard().fill(
        interview(Question("TOKEN", "?", type="secret", check="check"), program=program), lambda: None
    )
    assert ran == ["bad", "good"]


REGION = Question("REGION", "Which region?", type="select", choices_command="regions")


def test_choices_that_cannot_be_listed_can_be_tried_again(pipe, capsys):
    said = iter([(1, "", "no route to host"), (0, "eu\nus\n", "")])
    talk = interview(REGION, program=lambda *_: next(said))
    pipe.send_text(ENTER + DOWN + ENTER)
    Wizard().fill(talk, lambda: None)
    assert talk.values() == {"REGION": "us"}
    assert "could not list the choices of REGION: no route to host." in capsys.readouterr().out


def test_choices_that_cannot_be_listed_can_be_typed(pipe):
    talk = interview(REGION, program=lambda *_: (1, "", "no"))
    pipe.send_text(DOWN + ENTER + "eu-9" + ENTER)
    Wizard().fill(talk, lambda: None)
    assert talk.values() == {"REGION": "eu-9"}


def test_choices_that_cannot_be_listed_can_end_it(pipe):
    talk = interview(REGION, program=lambda *_: (1, "", "no route"))
    pipe.send_text(UP + ENTER)
    with pytest.raises(BadUsage, match="no route") as caught:
        Wizard().fill(talk, lambda: None)
    assert "rigger configure" in caught.value.next_step


def test_questions_are_dressed_up_just_before_they_are_asked(pipe):
    dressed = Question("SIZE", "?", type="select", choices=(Choice("small", "cheap"), Choice("large")))
    plain = Question("SIZE", "?", type="select", choices=(Choice("small"), Choice("large")))
    seen = []
    pipe.send_text(DOWN + ENTER)
    talk = interview(plain)
    Wizard(lambda question: seen.append(question) or dressed).fill(talk, lambda: None)
    assert talk.values() == {"SIZE": "large"}
    assert seen == [plain]


# The review


def provider_script(values):
    questions = [
        Question("PROVIDER", "?", type="select", choices=(Choice("local"), Choice("cloud")), default="local")
    ]
    if values.get("PROVIDER") == "cloud":
        questions += [Question("REGION", "Which region?"), TOKEN]
    return [*questions, NODES]


def review(pipe, keys, talk):
    pipe.send_text(keys)
    kept = []
    wizard = Wizard()
    wizard.fill(talk, lambda: None)
    wizard.review(talk, lambda: kept.append(talk.values()))
    return kept


def test_a_review_with_nothing_to_change_shows_everything(pipe, capsys):
    talk = Interview(provider_script, Sources(flags={"PROVIDER": "cloud", "TOKEN": "hunter2"}))
    assert review(pipe, "eu" + ENTER + ENTER + ENTER, talk) == []
    shown = ESCAPE.sub("", capsys.readouterr().out)
    assert re.search(r"PROVIDER +cloud +from --set\n", shown)
    assert re.search(r"REGION +eu +asked\n", shown)
    assert re.search(r"TOKEN +\*{8} +from --set\n", shown)
    assert re.search(r"NODES +3 +default\n", shown)
    assert "hunter2" not in shown


def test_an_answer_can_be_changed_in_the_review(pipe):
    talk = Interview(provider_script, Sources(flags={"NODES": "5"}))
    kept = review(pipe, ENTER + DOWN * 2 + ENTER + "7" + ENTER + ENTER, talk)
    assert kept == [{"PROVIDER": "local", "NODES": "7"}]
    assert talk.answers["NODES"].source == "asked"


def test_what_follows_from_a_change_is_asked(pipe):
    talk = Interview(provider_script, Sources())
    keys = ENTER + ENTER  # local, 3
    keys += DOWN + ENTER + DOWN + ENTER  # the provider: cloud
    keys += "eu" + ENTER + "t0ken" + ENTER + ENTER
    kept = review(pipe, keys, talk)
    assert talk.values() == {"PROVIDER": "cloud", "REGION": "eu", "TOKEN": "t0ken", "NODES": "3"}
    assert kept[0] == {"PROVIDER": "cloud", "NODES": "3"}


def test_an_answer_that_is_looked_at_and_left_keeps_its_source(pipe):
    talk = Interview(
        provider_script, Sources(flags={"PROVIDER": "cloud", "REGION": "eu", "TOKEN": "t", "NODES": "5"})
    )
    review(pipe, DOWN * 3 + ENTER + ENTER + DOWN * 4 + ENTER + ENTER + ENTER, talk)
    assert talk.values()["TOKEN"] == "t"
    assert {answer.source for answer in talk.answers.values()} == {
        "--set PROVIDER",
        "--set REGION",
        "--set TOKEN",
        "--set NODES",
    }


def test_a_value_beside_the_choices_stays_when_it_is_looked_at(pipe):
    version = Question("VERSION", "?", type="select", choices=(Choice("3.5.1"),), pattern=r"[\d.]+")
    talk = interview(version, Question("NOTE", "?"), flags={"VERSION": "3.4.0", "NOTE": " spaces "})
    review(pipe, DOWN + ENTER + ENTER + ENTER + DOWN * 2 + ENTER + ENTER + ENTER, talk)
    assert talk.values() == {"VERSION": "3.4.0", "NOTE": " spaces "}
    assert {answer.source for answer in talk.answers.values()} == {"--set VERSION", "--set NOTE"}


def test_ctrl_c_while_changing_an_answer_keeps_the_old_one(pipe):
    talk = Interview(provider_script, Sources(flags={"PROVIDER": "local", "NODES": "5"}))
    with pytest.raises(Interrupted):
        review(pipe, DOWN * 2 + ENTER + "7" + CTRL_C, talk)
    assert talk.values()["NODES"] == "5"


# What is shown


def test_importing_the_wizard_does_not_import_questionary():
    script = (
        "import sys, rigger.ui.wizard; print({'questionary', 'prompt_toolkit', 'jinja2'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout == "set()\n", run.stderr


# Whole conversations on a real terminal


@pytest.mark.slow
def test_a_first_run(tmp_path):
    talk = Conversation(tmp_path, size=(40, 120))
    talk.sees("Where should the machines come from?").sees("A provider makes the machines.").sees(
        "This machine"
    )
    talk.types(ENTER).sees("Where should the machines come from? local")
    talk.sees("How many machines?").sees("An odd number keeps a majority.").types("x").sees(
        "must be a whole number"
    )
    talk.types(BACKSPACE + "12" + ENTER).sees("9, not 12.")  # only what differs is drawn
    talk.types(BACKSPACE * 2 + "5" + ENTER).sees("How many machines? 5")
    talk.sees("Which zones?").types(DOWN + " " + ENTER).sees("Which zones? a,b")
    talk.sees("Make backups?").types("n").sees("Make backups? no")
    talk.sees("A note?").sees("Enter leaves it empty.").types(ENTER).sees("A note? (empty)")
    talk.sees("Which token?").types("bad-token" + ENTER).sees("checking").sees("the token has expired.")
    talk.sees("Which token?").types("good-token" + ENTER).sees("Which token? ********")
    talk.sees("Is this right?").sees("NODES 5 asked").sees("TOKEN ******** asked")
    talk.types(DOWN + ENTER).sees("Where should").types(DOWN + ENTER)
    talk.sees("Which region?").sees("Near you is faster.").types("eu" + ENTER)
    talk.sees("Is this right?").sees("REGION eu asked").types(ENTER).sees("TOKEN ******** asked")
    talk.sees("RESULT").ends(0)
    assert talk.result == {
        "PROVIDER": "cloud",
        "REGION": "eu",
        "NODES": "5",
        "ZONES": "a,b",
        "BACKUPS": "false",
        "TOKEN": "good-token",
    }
    assert "come from? local This machine" not in " ".join(ESCAPE.sub("", talk.heard.decode()).split())
    said = talk.heard[: talk.heard.index(b"RESULT")]
    assert b"good-token" not in said and b"bad-token" not in said
    assert b"\x1b]0;" not in said and b"owned" not in said and b"\x1b[6n" not in said


def test_ctrl_c_ends_it_and_keeps_the_answers(tmp_path):
    talk = Conversation(tmp_path)
    talk.sees("Where should").types(ENTER).sees("How many machines?").types("7" + ENTER)
    talk.sees("Which zones?").types(CTRL_C).sees("Interrupted").sees("are kept").ends(130)
    assert talk.draft == {"PROVIDER": "local", "NODES": "7"}


def test_an_interrupt_from_outside_ends_it_too(tmp_path):
    talk = Conversation(tmp_path)
    talk.sees("Where should").sees("This machine")
    talk.child.kill(2)
    talk.sees("Interrupted").ends(130)


def test_the_end_of_the_input_ends_it(tmp_path):
    talk = Conversation(tmp_path)
    talk.sees("Where should").types(ENTER).sees("How many machines?").types(CTRL_D)
    talk.sees("The input ended before every question was answered.").sees("are kept").ends(2)
    assert talk.draft == {"PROVIDER": "local"}


@pytest.mark.parametrize("columns", [1, 5, 20, 45])
def test_narrow_terminals(tmp_path, columns):
    flags = {"ZONES": "a", "BACKUPS": "y", "NOTE": "\x1b[31m" + "x" * 200, "TOKEN": "good"}
    talk = Conversation(tmp_path, flags, size=(24, columns))
    enter = ENTER if columns >= 40 else "\n"
    talk.sees("Where").sees("local" if columns > 5 else ">").types(enter)
    talk.sees("many machines?" if columns > 5 else "How").sees("3").types(enter)
    talk.sees("Is this").sees("Write it" if columns > 5 else ">").types(enter)
    talk.sees("RESULT").ends(0)
    assert b"\x1b[31mxx" not in talk.heard[: talk.heard.index(b"RESULT")]


# Back to the question before


PLACE = Question("REGION", "Which region?", type="select", choices=(Choice("eu"), Choice("us")))
ZONES = Question("ZONES", "Which zones?", type="checkbox", choices=(Choice("a"), Choice("b")), default="a")
BACKUPS = Question("BACKUPS", "Make backups?", type="confirm", default="yes")
NOTE = Question("NOTE", "A note?", default="usual")
KINDS = {"text": NOTE, "integer": NODES, "secret": TOKEN, "list": PLACE, "several": ZONES, "yes": BACKUPS}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_prompt_goes_back_and_keeps_what_was_answered(pipe, kind):
    """The first answer is there again, may be another, and the question that was left is asked again."""
    back = "<" + (ENTER if kind in ("text", "integer", "secret") else "")
    first = Question("FIRST", "First?", default="1")
    end = {"secret": "hunter2" + ENTER, "yes": "y"}.get(kind, ENTER)
    talk, _ = fill(pipe, f"one{ENTER}{back}{ENTER}{back}two{ENTER}{end}", first, KINDS[kind])
    assert talk.values()["FIRST"] == "two" and talk.values()[KINDS[kind].name]


def test_back_and_back_again_ends_at_the_first_question(pipe, capsys):
    keys = f"one{ENTER}5{ENTER}<<{ENTER}<{ENTER}two{ENTER}y"
    talk, _ = fill(pipe, keys, Question("FIRST", "First?"), NODES, BACKUPS)
    assert talk.values() == {"FIRST": "two", "NODES": "5", "BACKUPS": "true"}
    assert "There is no question before this one." in capsys.readouterr().out


def test_an_answer_that_begins_with_the_sign_is_an_answer(pipe):
    assert value_of(pipe, "<b>" + ENTER, Question("NOTE", "?")) == "<b>"


@pytest.mark.slow
def test_esc_goes_back_from_the_review_to_the_last_question_and_from_a_change_to_the_review(tmp_path):
    flags = {"ZONES": "a", "BACKUPS": "y", "NOTE": "-", "TOKEN": "good"}
    talk = Conversation(tmp_path, flags)
    talk.sees("Esc goes back").sees("Where should").sees("at least 1 more to come").types(ENTER)
    talk.sees("How many machines?").sees("the last question").types("5" + ENTER)
    talk.sees("Is this right?").types(ESC).sees("How many machines?").types("7" + ENTER)
    talk.sees("Is this right?").types(DOWN + ENTER).sees("Where should").types(ESC)
    talk.sees("Is this right?").sees("NODES 7 asked").types(ENTER).sees("RESULT").ends(0)
    assert talk.result["NODES"] == "7" and talk.result["PROVIDER"] == "local"


def test_going_back_on_a_terminal_that_can_only_print_lines(tmp_path):
    flags = {"ZONES": "a", "BACKUPS": "y", "NOTE": "-", "TOKEN": "good"}
    talk = Conversation(tmp_path, flags, term="dumb")
    talk.sees("< and Enter go back").sees("Where should").types("\n").sees("How many machines?").types("<\n")
    talk.sees("Where should").sees(">").types("cloud\n").sees("Which region?").sees("1 more to come").types(
        "<\n"
    )
    talk.sees("Where should").sees("[cloud] >").types("\n").sees("Which region?").types("eu\n")
    talk.sees("How many").types("\n").sees("Is this right?").types("\n").sees("RESULT").ends(0)
    assert talk.result["REGION"] == "eu" and talk.result["NODES"] == "3"


@pytest.mark.parametrize("typed", ["env:MY_TOKEN", "literal:env:abc", "abc"])
def test_a_secret_may_be_a_reference_which_is_shown(pipe, capsys, typed):
    token = Question("TOKEN", "Which token?", type="secret", pattern="(env:)?[a-z]{3}")
    assert fill(pipe, typed + ENTER, token)[0].answers["TOKEN"].value == typed
    assert ("env:MY_TOKEN" in capsys.readouterr().out) == (typed == "env:MY_TOKEN")
