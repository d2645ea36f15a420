"""Conversations of the wizard, over a pipe or on a real terminal."""

import json
import os
import re
import sys

import pexpect
from conftest import ROOT

from rigger.questions.interview import Interview
from rigger.questions.model import Question
from rigger.questions.sources import Sources
from rigger.ui.wizard import Wizard

UP, DOWN, LEFT, ENTER, BACKSPACE = "\x1b[A", "\x1b[B", "\x1b[D", "\r", "\x7f"
CTRL_C, CTRL_D, ESC = "\x03", "\x04", "\x1b"
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NODES = Question("NODES", "How many machines?", "An odd number.", type="integer", default="3", min=1, max=9)
TOKEN = Question("TOKEN", "Which token?", type="secret")


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
            type="select", choices=(Choice("local", "This machine"), cloud), default="local", decides=True),
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
