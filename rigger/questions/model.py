"""A question, its choices, and an answer with its source."""

from __future__ import annotations

from rigger.errors import BadUsage
from rigger.values import field, frozen

TYPES = ("text", "integer", "confirm", "select", "checkbox", "path", "ssh-key", "secret")
CHANGES = ("none", "install", "deploy", "apply", "create", "replace")
KEY_KINDS = ("ed25519", "rsa")  # of SSH keys that can be made


@frozen
class Choice:
    """One value that may be chosen, and what it means."""

    value: str
    description: str = ""


@frozen
class Question:
    """One value that a module needs: how it is asked for, its default, and what makes it valid."""

    name: str
    ask: str
    help: str = ""
    type: str = "text"
    choices: tuple[Choice, ...] = ()
    choices_command: str = ""  # a program whose lines are the choices: value, or value TAB description
    default: str | None = None  # a Jinja2 template over the values already answered
    when: str = ""  # a Jinja2 condition; empty: always
    check: str = ""  # a program: exit 0, or its last line says what is wrong
    env: tuple[str, ...] = ()  # native names looked for in the process environment, beside RIGGER_<NAME>
    advanced: bool = False
    optional: bool = False
    pattern: str = (
        ""  # a regular expression that the whole value must match; a select admits it beside its choices
    )
    also: str = ""  # what the pattern of a select admits, in words
    min: int | None = None
    max: int | None = None
    changes: str = "create"
    flag: str = ""  # a flag of its own (--provider) beside --set NAME=VALUE
    pinned: bool = False  # stored even when nobody changed the default
    generate: int = 0  # characters of a secret that is made where nobody gives one
    copied: bool = True  # whether a copy of the environment, for a rehearsal, has the same secret
    make: str = ""  # the kind of SSH key to make where there is none
    origin: str = ""  # the manifest, for messages
    folder: str = ""  # where the module's programs lie
    owner: str = ""  # the add-on that it is a question of, by the name that it has in the environment
    decides: bool = False  # its answer brings questions that nobody can know before
    foreseen: bool = False  # which ones its default brings is known, and they are counted beforehand

    @property
    def variables(self) -> tuple[str, ...]:
        """The names that it is looked for by in the process environment, rigger's own before native ones."""
        return f"RIGGER_{self.name}", *self.env

    @property
    def secret(self) -> bool:
        return self.type == "secret"

    @property
    def flag_form(self) -> str:
        return self.flag or f"--set {self.name}="

    @property
    def live(self) -> bool:
        """Whether its choices depend on something outside the manifest."""
        return bool(self.choices_command)


@frozen
class Answer:
    """A value and where it came from."""

    value: str = field(repr=False)
    source: str
    explicit: bool = True  # somebody gave it; False: a default that is resolved anew whenever it is used


class BadAnswer(BadUsage):
    """A value that its question does not accept; the message is one sentence for the person who gave it."""

    cause = ""  # what a program said, which may be the same for several questions


def of_program(sentence: str, cause: str, next_step: str = "") -> BadAnswer:
    problem = BadAnswer(sentence, next_step)
    problem.cause = cause
    return problem


def said_of(problem: BadAnswer, source: str) -> BadAnswer:
    return of_program(f"{problem.message.removesuffix('.')} ({source}).", problem.cause, problem.next_step)
