"""Is a text an answer to a question, and in which form is it stored?"""

from __future__ import annotations

import os
import re

from rigger.envfile.names import check_value
from rigger.questions.model import BadAnswer, Choice, Question
from rigger.text import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

YES = frozenset({"true", "yes", "y", "1", "on"})
NO = frozenset({"false", "no", "n", "0", "off"})


def validate(question: Question, text: str, choices: Sequence[Choice] = ()) -> str:
    """Return the value that an answer stands for, or raise BadAnswer; runs no program.

    `choices` are the live choices of a question that has a program for them.
    """
    if reason := check_value(question.name, text):
        raise BadAnswer(f"{question.name} {reason}.")
    value = text and _BY_TYPE.get(question.type, _any_text)(question, text, choices or question.choices)
    if value == "":
        if question.optional or question.default == "":
            return value
        raise BadAnswer(f"{question.name} must not be empty.")
    if question.pattern and question.type != "select" and not re.fullmatch(question.pattern, value):
        raise BadAnswer(f"{question.name} {_shown(question, value)} does not match {question.pattern}.")
    return value


def _shown(question: Question, value: str) -> str:
    return "(hidden)" if question.secret else repr(value[:80])


def _any_text(question: Question, text: str, choices: Sequence[Choice]) -> str:
    return text


def _integer(question: Question, text: str, choices: Sequence[Choice]) -> str:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        raise BadAnswer(f"{question.name} must be a whole number, not {text[:80]!r}.")
    number = int(text.strip())
    if question.min is not None and number < question.min:
        raise BadAnswer(f"{question.name} must be at least {question.min}, not {number}.")
    if question.max is not None and number > question.max:
        raise BadAnswer(f"{question.name} must be at most {question.max}, not {number}.")
    return str(number)


def _confirm(question: Question, text: str, choices: Sequence[Choice]) -> str:
    word = text.strip().lower()
    if word not in YES | NO:
        raise BadAnswer(f"{question.name} must be yes or no, not {text[:80]!r}.")
    return "true" if word in YES else "false"


def _select(question: Question, text: str, choices: Sequence[Choice]) -> str:
    if not choices or text in {choice.value for choice in choices}:
        return text
    if question.pattern and re.fullmatch(question.pattern, text):
        return text
    named = [choice.value for choice in choices if choice.value.isdigit() and choice.description == text]
    if len(named) == 1:  # numbers stand for what may be said as well
        return named[0]
    raise BadAnswer(_not_a_choice(question, text, choices))


def _checkbox(question: Question, text: str, choices: Sequence[Choice]) -> str:
    picked = [item.strip() for item in text.split(",") if item.strip()]
    for item in picked:
        if choices and item not in {choice.value for choice in choices}:
            raise BadAnswer(_not_a_choice(question, item, choices))
    return ",".join(dict.fromkeys(picked))


def _not_a_choice(question: Question, text: str, choices: Sequence[Choice]) -> str:
    """Say all that is accepted: the choices, and what the pattern of a select admits beside them."""
    values = [choice.value for choice in choices]
    listed = ", ".join(values[:12]) + (f" and {len(values) - 12} more" if len(values) > 12 else "")
    if question.pattern and question.type == "select":
        listed += f", or {question.also or f'what matches {question.pattern}'}"
    return f"{question.name} must be one of {listed}, not {text[:80]!r}{did_you_mean(text, values)}."


def _path(question: Question, text: str, choices: Sequence[Choice]) -> str:
    return os.path.abspath(os.path.expanduser(text))


def _ssh_key(question: Question, text: str, choices: Sequence[Choice]) -> str:
    path = _path(question, text, choices)
    if not os.path.isfile(path):
        raise BadAnswer(f"{question.name}: there is no file {path}.")
    return path


_BY_TYPE: dict[str, Callable[[Question, str, Sequence[Choice]], str]] = {
    "integer": _integer,
    "confirm": _confirm,
    "select": _select,
    "checkbox": _checkbox,
    "path": _path,
    "ssh-key": _ssh_key,
}
