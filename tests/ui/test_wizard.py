"""What a person sees and types: prompts on a pipe, and whole conversations on a real terminal."""

import io
import json
import os
import re
import subprocess
import sys

import pexpect
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from rigger.errors import BadUsage, Interrupted
from rigger.questions.interview import Interview
from rigger.questions.model import Choice, Question
from rigger.questions.sources import Sources
from rigger.ssh.keys import private_keys
from rigger.text import Row, aligned, cell_width, sentence, shorten, visible
from rigger.ui.plain import MAKE, WRITE, Plain, Prompt
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import Wizard

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UP, DOWN, LEFT, ENTER, BACKSPACE = "\x1b[A", "\x1b[B", "\x1b[D", "\r", "\x7f"
CTRL_C, CTRL_D = "\x03", "\x04"
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

NODES = Question("NODES", "How many machines?", "An odd number.", type="integer", default="3", min=1, max=9)
TOKEN = Question("TOKEN", "Which token?", type="secret")
SIZES = (Choice("small", "cheap"), Choice("large"), Choice("huge"))


@pytest.fixture
def pipe():
    """Keys for the prompts of a test; nothing is drawn."""
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        yield pipe


def interview(*questions, program=None, **sources):
    return Interview(lambda values: questions, Sources(**sources), program)


def fill(pipe, keys, *questions, **sources):
    """Type keys at an interview until all is answered; return it and how often its answers were kept."""
    pipe.send_text(keys)
    talk, kept = interview(*questions, **sources), []
    Wizard().fill(talk, lambda: kept.append(dict(talk.values())))
    return talk, kept


def value_of(pipe, keys, question, **sources):
    return fill(pipe, keys, question, **sources)[0].values().get(question.name)


# One prompt


@pytest.mark.parametrize(
    "keys, value",
    [
        (ENTER, "3"),
        ("5" + ENTER, "5"),  # typing replaces the default
        (BACKSPACE + "7" + ENTER, "7"),
        (LEFT + "2" + ENTER, "23"),  # an arrow key starts editing it
        ("x" + ENTER + BACKSPACE + "6" + ENTER, "6"),
        ("120" + ENTER + BACKSPACE + ENTER, "12"),
        (" 8 " + ENTER, "8"),
    ],
)
def test_the_default_is_taken_replaced_or_edited(pipe, keys, value):
    assert value_of(pipe, keys, Question("NODES", "?", type="integer", default="3", max=99)) == value


def test_text_and_paths(pipe, private_home):
    assert value_of(pipe, "hello" + ENTER, Question("NOTE", "?")) == "hello"
    assert value_of(pipe, ENTER, Question("DIR", "?", type="path", default="~/x")) == f"{private_home}/x"


def test_tab_completes_paths(pipe, tmp_path):
    (tmp_path / "only-one").mkdir()
    assert value_of(pipe, f"{tmp_path}/on\t{ENTER}", Question("DIR", "?", type="path")).startswith(
        f"{tmp_path}/only-one"
    )


def test_a_required_answer_cannot_be_empty(pipe):
    assert value_of(pipe, ENTER + ENTER + "x" + ENTER, Question("NOTE", "?")) == "x"


def test_an_optional_answer_can(pipe):
    talk, kept = fill(pipe, ENTER, Question("NOTE", "?", optional=True))
    assert talk.values() == {}
    assert len(kept) == 1


@pytest.mark.parametrize("keys, value", [(ENTER, "true"), ("y", "true"), ("n", "false")])
def test_yes_or_no(pipe, keys, value):
    assert value_of(pipe, keys, Question("BACKUPS", "?", type="confirm", default="yes")) == value


@pytest.mark.parametrize("keys, value", [(ENTER, "large"), (UP + ENTER, "small"), (DOWN + ENTER, "huge")])
def test_select_starts_at_the_default(pipe, keys, value):
    assert value_of(pipe, keys, Question("SIZE", "?", type="select", choices=SIZES, default="large")) == value


def test_a_long_list_is_narrowed_by_typing(pipe):
    choices = tuple(Choice(f"eu-{n}", f"City {n}") for n in range(40))
    question = Question("REGION", "?", type="select", choices=choices)
    assert value_of(pipe, "eu-27" + ENTER, question) == "eu-27"
    assert value_of(pipe, "CITY 31" + ENTER, question) == "eu-31"


def test_another_value_where_a_pattern_allows_it(pipe):
    version = Question("VERSION", "?", type="select", choices=(Choice("3.5.1"),), pattern=r"\d+\.\d+\.\d+")
    assert value_of(pipe, UP + ENTER + "x" + ENTER + BACKSPACE + "3.4.0" + ENTER, version) == "3.4.0"


@pytest.mark.parametrize(
    "keys, value", [(ENTER, "small,huge"), (" " + ENTER, "huge"), (DOWN + " " + ENTER, "small,large,huge")]
)
def test_checkbox_starts_with_the_default_picked(pipe, keys, value):
    question = Question("SIZES", "?", type="checkbox", choices=SIZES, default="small,huge")
    assert value_of(pipe, keys, question) == value


def test_a_checkbox_that_needs_one(pipe):
    question = Question("SIZES", "?", type="checkbox", choices=SIZES)
    assert value_of(pipe, ENTER + " " + ENTER, question) == "small"


def test_ssh_keys_are_found_by_their_content(pipe, private_home):
    folder = private_home / ".ssh"
    folder.mkdir()
    for name, content in {
        "work": "-----BEGIN OPENSSH PRIVATE KEY-----\n",
        "home.pem": "-----BEGIN RSA PRIVATE KEY-----\n",
        "work.pub": "ssh-ed25519 AAAA\n",
        "known_hosts": "PRIVATE\n",
    }.items():
        (folder / name).write_text(content)
    assert private_keys() == [f"{folder}/home.pem", f"{folder}/work"]
    key = Question("KEY", "?", type="ssh-key")
    assert value_of(pipe, DOWN + ENTER, key) == f"{folder}/work"
    other = private_home / "elsewhere"
    other.write_text("PRIVATE KEY")
    assert value_of(pipe, UP + ENTER + f"{other}{ENTER}", key) == str(other)


def test_without_ssh_keys_a_file_is_asked_for(pipe, private_home):
    (private_home / "id").write_text("PRIVATE KEY")
    assert value_of(pipe, f"~/no{ENTER}{BACKSPACE * 2}id{ENTER}", Question("KEY", "?", type="ssh-key")) == (
        f"{private_home}/id"
    )


def test_secrets_are_never_shown(pipe, capsys):
    assert value_of(pipe, "hunter2" + ENTER, TOKEN) == "hunter2"
    assert value_of(pipe, "", TOKEN, flags={"TOKEN": "hunter3"}) == "hunter3"
    shown = capsys.readouterr().out
    assert "hunter" not in shown
    assert "Which token?" in shown and "********" in shown
    assert "TOKEN is ******** (from --set)" in shown


def test_a_pasted_token_loses_its_line_break(pipe):
    assert value_of(pipe, "\x1b[200~t0ken\n\x1b[201~" + ENTER, TOKEN) == "t0ken"
    assert value_of(pipe, "\x1b[200~5\n\x1b[201~" + ENTER, NODES) == "5", "a paste replaces the default"


def test_bytes_that_are_no_text_survive(pipe):
    pipe.send_bytes(b"caf\xe9\r")
    assert value_of(pipe, "", Question("NOTE", "?")) == "caf\udce9"
    assert value_of(pipe, ENTER, Question("NOTE", "?", default="\udc80\x1b[31m")) == "\udc80\x1b[31m"


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
        return (0 if values["TOKEN"] == "good" else 1), "", "expired"

    pipe.send_text("bad" + ENTER + ENTER + "good" + ENTER)
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


# Confirmations


@pytest.mark.parametrize(
    "keys, default, answer", [(ENTER, False, False), (ENTER, True, True), ("y", False, True)]
)
def test_confirm(pipe, keys, default, answer):
    pipe.send_text(keys)
    assert Wizard().confirm("Remove 2 machines?", default) is answer


def test_a_long_question_is_shown_whole(pipe, capsys):
    text = "Remove " + ", ".join(f"machine-{n}" for n in range(30)) + " and their data?"
    pipe.send_text("y")
    Wizard().confirm(text)
    shown = ESCAPE.sub("", capsys.readouterr().out)
    assert " ".join(shown.split()) == f"? {text} yes"
    assert max(map(len, shown.splitlines())) < 80


@pytest.mark.parametrize("typed, same", [("demo", True), ("demo2", False), ("", False), (" demo ", True)])
def test_type_back(pipe, typed, same):
    pipe.send_text(typed + ENTER)
    assert Wizard().type_back("Type demo", "demo") is same


def test_choose(pipe):
    pipe.send_text(UP + ENTER)
    assert Wizard().choose("Which size?", SIZES, "large") == "small"


VERBS = {
    "text": lambda: Wizard().fill(interview(NODES), lambda: None),
    "secret": lambda: Wizard().fill(interview(TOKEN), lambda: None),
    "select": lambda: Wizard().choose("?", SIZES),
    "checkbox": lambda: Wizard().fill(
        interview(Question("S", "?", type="checkbox", choices=SIZES)), lambda: None
    ),
    "confirm": lambda: Wizard().confirm("?"),
    "type back": lambda: Wizard().type_back("?", "x"),
    "review": lambda: Wizard().review(interview(NODES, flags={"NODES": "3"}), lambda: None),
}


@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_c_interrupts(pipe, verb):
    pipe.send_text(CTRL_C)
    with pytest.raises(Interrupted) as caught:
        VERBS[verb]()
    assert caught.value.exit_code == 130


@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_d_is_the_end_of_the_input(pipe, verb):
    pipe.send_text(CTRL_D)
    with pytest.raises(BadUsage, match="The input ended before") as caught:
        VERBS[verb]()
    assert ("rigger configure" in caught.value.next_step) == (
        verb in ("text", "secret", "checkbox", "review")
    )


@pytest.mark.parametrize("verb", VERBS)
def test_a_closed_input_is_its_end(pipe, verb):
    pipe.close()
    with pytest.raises(BadUsage, match="The input ended before"):
        VERBS[verb]()


def test_ctrl_d_within_a_text_only_deletes(pipe):
    assert value_of(pipe, "12" + LEFT + CTRL_D + ENTER, NODES) == "1"


# What is shown


@pytest.mark.parametrize(
    "text, shown",
    [
        ("plain", "plain"),
        ("two\n lines\t!", "two lines !"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1bPq payload\x1b\\after", "after"),
        ("\x9b31mC1\x07", "31mC1"),
        ("right\u202eleft\u200b", "right left"),
        ("half\udc80", "half"),
    ],
)
def test_sentences_cannot_drive_the_terminal(text, shown):
    assert sentence(text) == shown


@pytest.mark.parametrize(
    "value, shown",
    [
        ("a b", "a b"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[2J", r"\x1b[2J"),
        ("caf\udce9", r"caf\xe9"),
        ("\u202e", r"\u202e"),
        ("é漢", "é漢"),
    ],
)
def test_values_show_what_cannot_be_printed(value, shown):
    assert visible(value) == shown


@pytest.mark.parametrize("width", range(0, 40))
def test_rows_fit(width):
    rows = [
        Row("a", ("short", "quiet words that go on")),
        Row("b", ("漢字" * 30, "é" * 99)),
        Row("c", ("\n", "")),
        Row("", ("one",)),
    ]
    for plain, quiet in aligned(rows, width):
        assert cell_width(plain + quiet) <= width
    assert cell_width(shorten("漢字漢字漢字", width)) <= width


def test_columns_are_aligned():
    rows = [Row("x", ("x", "1", "quiet")), Row("long", ("longer", "22", "")), Row("漢", ("漢", "3", "quiet"))]
    assert [plain + quiet for plain, quiet in aligned(rows, 60)] == [
        "x        1    quiet",
        "longer   22",
        "漢       3    quiet",
    ]


def test_without_a_terminal_nobody_can_be_asked(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert not has_terminal()


def test_importing_the_wizard_does_not_import_questionary():
    script = (
        "import sys, rigger.ui.wizard; print({'questionary', 'prompt_toolkit', 'jinja2'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout == "set()\n", run.stderr


# Whole conversations on a real terminal

SCRIPT = """
import json, os, sys, time
from rigger.errors import RiggerError
from rigger.questions.interview import Interview
from rigger.questions.model import Choice, Question
from rigger.questions.sources import Sources
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import Wizard

cloud = Choice("cloud", "\\x1b]0;owned\\x07Somebody's \\x1b[2J machine")

def script(values):
    questions = [
        Question("PROVIDER", "Where should the machines come from?", "A provider makes the machines.",
            type="select", choices=(Choice("local", "This machine"), cloud), default="local"),
        Question("NODES", "How many machines?", "An odd number keeps a majority.",
            type="integer", default="3", max=9),
        Question("ZONES", "Which zones?", type="checkbox", choices=(Choice("a"), Choice("b")), default="a"),
        Question("BACKUPS", "Make backups?", type="confirm", default="yes"),
        Question("NOTE", "A note?", optional=True),
        Question("TOKEN", "Which token?", type="secret", check="check"),
    ]
    if values.get("PROVIDER") == "cloud":
        questions.insert(1, Question("REGION", "Which region?", "Near you is faster."))
    return questions

def program(folder, command, values):
    time.sleep(0.5 if values["TOKEN"] == "slow" else 0)
    return (0, "", "") if values["TOKEN"].startswith("good") else (1, "", "the token has expired")

assert has_terminal()
talk = Interview(script, Sources(flags=json.loads(sys.argv[1])), program)

def keep():
    with open("draft.json", "w") as file:
        json.dump(talk.values(), file)

try:
    wizard = Wizard()
    wizard.fill(talk, keep)
    wizard.review(talk, keep)
    print("RESULT", json.dumps(talk.values()))
except RiggerError as error:
    print(error.message, error.next_step)
    sys.exit(error.exit_code)
"""


class Conversation:
    """A program on a terminal of its own, and a person in front of it."""

    def __init__(self, folder, flags=None, term="xterm", size=(24, 80), **env):
        path = folder / "conversation.py"
        path.write_text(SCRIPT)
        self.folder = folder
        self.child = pexpect.spawn(
            sys.executable,
            [str(path), json.dumps(flags or {})],
            env={**os.environ, "TERM": term, "PYTHONPATH": ROOT, **env},
            cwd=str(folder),
            dimensions=size,
            timeout=20,
        )
        self.heard = b""

    def sees(self, text):
        """Wait until a text is on the screen, however it is coloured and wherever its lines break."""
        between = rb"(?:\x1b\[[0-9;?]*[A-Za-z]|\s)*"
        pattern = between.join(re.escape(word.encode()) for word in text.split())
        try:
            self.child.expect(pattern)
        except pexpect.ExceptionPexpect as problem:
            raise AssertionError(f"{text!r} was not shown: {self.child.before!r}") from problem
        self.heard += self.child.before + self.child.after
        return self

    def types(self, keys):
        self.child.send(keys)
        return self

    def ends(self, code):
        self.child.expect(pexpect.EOF)
        self.heard += self.child.before
        self.child.close()
        assert (self.child.exitstatus, self.child.signalstatus) == (code, None), self.heard

    @property
    def result(self):
        plain = ESCAPE.sub("", self.heard.decode(errors="replace")).replace("\r\n", "\n")
        return json.loads(re.search(r"RESULT (\{.*?\})", plain, re.DOTALL)[1].replace("\n", ""))

    @property
    def draft(self):
        return json.loads((self.folder / "draft.json").read_text())


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
    talk.child.delayafterclose = talk.child.ptyproc.delayafterclose = (
        10  # seconds that a busy machine may take
    )
    talk.child.close(force=False)
    assert not talk.child.isalive()
