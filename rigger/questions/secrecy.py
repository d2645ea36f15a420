"""Which answers are secrets: those that a secret question asks for, and whatever is made of one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rigger import templates
from rigger.envfile.names import is_core
from rigger.errors import Refused
from rigger.redact import maskable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

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
    while found := {q.name for q in asked if q.name not in secret and _inherits(q, answers, values, secret)}:
        secret |= found
    return secret


def _inherits(
    question: Question, answers: Mapping[str, Answer], values: Mapping[str, str], secret: Collection[str]
) -> bool:
    if is_core(question.name, values):
        return False
    if holds(values[question.name], [values[name] for name in secret]):
        return True
    answer = answers[question.name]
    return answer.source == "default" and is_made_of(question.default or "", values, secret, question.name)


def holds(value: str, secrets: Iterable[str]) -> bool:
    """Return whether a value has one of the secrets in it, as it is."""
    return any(secret in value for secret in maskable(dict(enumerate(secrets))))


def is_made_of(source: str, values: Mapping[str, str], secret: Collection[str], where: str) -> bool:
    """Return whether a template says something else if a secret is another one of the same form and length."""
    named = {name for name in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", source) if name in secret}
    if not named or "{" not in source:
        return False
    try:
        is_now = templates.render(source, values, where)
        others = {name: values.get(name, "").translate(_OTHERS) for name in named}
        return templates.render(source, {**values, **others}, where) != is_now
    except Refused:
        return True
