"""Which answers are secrets: those that a secret question asks for, and whatever is made of one."""

from __future__ import annotations

import re

from rigger import templates
from rigger.envfile.names import is_core
from rigger.errors import Refused
from rigger.redact.nested import holding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from rigger.questions.model import Answer, Question

# Each letter and digit as another one, so that a value is another and of the same form.
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_OTHERS = str.maketrans(_LETTERS, "nopqrstuvwxyzabcdefghijklmNOPQRSTUVWXYZABCDEFGHIJKLM5678901234")


def secret_names(
    questions: Iterable[Question], answers: Mapping[str, Answer], known: Mapping[str, str]
) -> set[str]:
    """Return the names of the secrets: those known, those asked for as such, and the answers that are made of others."""
    asked = [question for question in questions if question.name in answers]
    values = {**known, **{question.name: answers[question.name].value for question in asked}}
    secret = {*known, *(question.name for question in asked if question.secret)}
    while found := _inheriting(asked, answers, values, secret):
        secret |= found
    return secret


def _inheriting(
    asked: Sequence[Question],
    answers: Mapping[str, Answer],
    values: Mapping[str, str],
    secret: Collection[str],
) -> set[str]:
    """Return the names of the questions whose answers one of the secrets went into, or that are made of one."""
    held = holding(values, [values[name] for name in secret], layers=False)
    return {
        question.name
        for question in asked
        if question.name not in secret
        and not is_core(question.name, values)
        and (question.name in held or _is_made_of_one(question, answers, values, secret))
    }


def _is_made_of_one(
    question: Question, answers: Mapping[str, Answer], values: Mapping[str, str], secret: Collection[str]
) -> bool:
    is_default = answers[question.name].source == "default"
    return is_default and is_made_of(question.default or "", values, secret, question.name)


def is_made_of(source: str, values: Mapping[str, str], secret: Collection[str], where: str) -> bool:
    """Return whether a template says something else if a secret is another one of the same form and length."""
    if "{" not in source:
        return False
    named = {name for name in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", source) if name in secret}
    if not named:
        return False
    try:
        is_now = templates.render(source, values, where)
        others = {name: values.get(name, "").translate(_OTHERS) for name in named}
        return templates.render(source, {**values, **others}, where) != is_now
    except Refused:
        return True
