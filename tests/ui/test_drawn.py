"""One drawn prompt each: keys in, a value out."""

import pytest
from helpers.wizards import (
    BACKSPACE,
    CTRL_C,
    CTRL_D,
    DOWN,
    ENTER,
    ESCAPE,
    LEFT,
    NODES,
    TOKEN,
    UP,
    fill,
    interview,
    value_of,
)

from rigger.errors import BadUsage, Interrupted
from rigger.questions.model import Choice, Question
from rigger.ssh.keys import private_keys
from rigger.ui.wizard import Wizard

SIZES = (Choice("small", "cheap"), Choice("large"), Choice("huge"))


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
    assert value_of(pipe, "EU-31" + ENTER, question) == "eu-31"
    assert value_of(pipe, "eu-4" + ENTER, question) == "eu-4"
    assert value_of(pipe, "3" + BACKSPACE + "eu-1" + ENTER, question) == "eu-1", (
        "a value that was typed whole"
    )


REGIONS = Question(
    "REGION", "?", type="select", choices=tuple(Choice(f"region-{n:03}", f"City {n}") for n in range(1, 301))
)
HOME, END, PAGE_UP, PAGE_DOWN, CTRL_U = "\x1b[H", "\x1b[F", "\x1b[5~", "\x1b[6~", "\x15"
PASTED = "\x1b[200~{}\x1b[201~"


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (END, "region-300"),
        ("\x1b[4~", "region-300"),
        (END + HOME, "region-001"),
        (END + "\x1bOH", "region-001"),
        (PAGE_DOWN + PAGE_DOWN, "region-029"),
        (PAGE_DOWN + PAGE_DOWN + PAGE_UP, "region-015"),
        (PAGE_UP, "region-001"),
        (END + PAGE_DOWN, "region-300"),
        ("region-02" + END, "region-029"),
        ("region-017" + CTRL_U + DOWN, "region-018"),
        (PASTED.format("region-017\n"), "region-017"),
        (PASTED.format("gion-2") + "17", "region-217"),
        ("17", "region-017"),
        ("nowhere" + ENTER + UP + DOWN + END + ENTER + CTRL_U + "017", "region-017"),
        ("region-0177" + ENTER + BACKSPACE, "region-017"),
        ("City 17" + ENTER + CTRL_U + END, "region-300"),
        ("é" + ENTER + BACKSPACE + END, "region-300"),
        ("R" + UP, "region-300"),
    ],
)
def test_what_keys_do_in_a_long_list(pipe, keys, value):
    assert value_of(pipe, keys + ENTER, REGIONS) == value


@pytest.mark.parametrize(("keys", "value"), [(END, "huge"), (END + HOME, "small"), (PAGE_DOWN, "huge")])
def test_keys_of_a_short_list(pipe, keys, value):
    assert value_of(pipe, keys + ENTER, Question("SIZE", "?", type="select", choices=SIZES)) == value
    several = Question("SIZES", "?", type="checkbox", choices=SIZES)
    assert value_of(pipe, keys + " " + ENTER, several) == value


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


KEY_LINES = ["-----BEGIN OPENSSH PRIVATE KEY-----", "b3BlbnNza", "-----END OPENSSH PRIVATE KEY-----"]


MARKED, UNMARKED = "\x1b[200~{}\x1b[201~\r", "{}\r"


@pytest.mark.parametrize("last", ["", "{end}"])
@pytest.mark.parametrize(
    ("form", "end"), [(MARKED, "\r"), (MARKED, "\n"), (MARKED, "\r\n"), (UNMARKED, "\r"), (UNMARKED, "\n")]
)
def test_a_pasted_secret_of_several_lines_is_one_answer(pipe, form, end, last):
    keys = form.format(end.join(KEY_LINES) + last.format(end=end))
    talk, _ = fill(pipe, keys, TOKEN, Question("NOTE", "?", default="usual", advanced=True))
    assert talk.values() == {"TOKEN": "\n".join(KEY_LINES), "NOTE": "usual"}


def test_a_key_is_read_to_its_last_line_however_slowly_it_comes(pipe):
    import threading
    import time

    def paste():
        for line in KEY_LINES:
            pipe.send_text(line + "\r")
            time.sleep(0.3)

    typing = threading.Thread(target=paste)
    typing.start()
    assert value_of(pipe, "", TOKEN) == "\n".join(KEY_LINES)
    typing.join()


def test_bytes_that_are_no_text_survive(pipe):
    pipe.send_bytes(b"caf\xe9\r")
    assert value_of(pipe, "", Question("NOTE", "?")) == "caf\udce9"
    assert value_of(pipe, ENTER, Question("NOTE", "?", default="\udc80\x1b[31m")) == "\udc80\x1b[31m"


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
