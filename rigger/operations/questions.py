"""The questions of `configure` as data: what a form, a chat or a pipeline needs to ask them itself."""

from __future__ import annotations

import contextlib

from rigger.errors import Refused
from rigger.operations.configure import begin, loaded_file
from rigger.operations.consent import Consent
from rigger.operations.target import choose
from rigger.questions.model import BadAnswer
from rigger.runs.reporter import Reporter, Silent
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rigger.environments.home import Home
    from rigger.operations.answers import Answering, Given
    from rigger.questions.model import Choice, Question


@frozen
class Asked:
    """The questions for what is known, in order; `missing` are those that nothing answers yet."""

    environment: str
    questions: tuple[dict[str, Any], ...]
    missing: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "complete": not self.missing,
            "missing": list(self.missing),
            "questions": list(self.questions),
        }


def questions(
    home: Home, given: Given, reporter: Reporter | None = None, consent: Consent | None = None
) -> Asked:
    """Return the questions that follow from what is given and saved; nothing is asked, made or written.

    An answer may bring others: whoever asks gives it back as a flag or in an answers file, until nothing is missing.
    Raises what `configure` raises for values that are wrong.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    loaded = loaded_file(given)
    target = choose(home, given, loaded, consent, asks=False)
    with contextlib.ExitStack() as stack:
        work = begin(home, given, target, loaded, reporter, consent, None, stack)
        work.interview.make_key = work.interview.make_secret = None
        missing = tuple(question.name for question in work.interview.missing())
        applicable = {question.name for question in work.interview.applicable()}
        every = {question.name: question for question in work.questionnaire.questions(work.values())}
        every |= {question.name: question for question in work.interview.applicable()}
        rows = tuple(_row(work, question, question.name in applicable) for question in every.values())
    return Asked(target.environment.name, rows, missing)


def _row(work: Answering, question: Question, applies: bool) -> dict[str, Any]:
    interview = work.interview
    answer, hidden = interview.answers.get(question.name), interview.hides(question)
    choices, problem = _choices(work, question) if applies else (question.choices, "")
    if question.name in interview.set_aside:
        problem = interview.set_aside[question.name].message
    return {
        "name": question.name,
        "ask": question.ask,
        "help": question.help,
        "type": question.type,
        "choices": [{"value": choice.value, "description": choice.description} for choice in choices],
        "live": question.live,
        "default": None if hidden else _default(work, question, applies),
        "when": question.when,
        "applies": applies,
        "pattern": question.pattern,
        "also": question.also,
        "min": question.min,
        "max": question.max,
        "advanced": question.advanced,
        "optional": question.optional,
        "secret": hidden,
        "generate": question.generate,
        "make": question.make,
        "env": list(question.env),
        "changes": question.changes,
        "decides": question.decides,
        "answered": answer is not None,
        "value": None if answer is None or hidden else answer.value,
        "source": answer.source if answer else "",
        "problem": problem,
    }


def _choices(work: Answering, question: Question) -> tuple[Sequence[Choice], str]:
    """Return the choices as they are now, described, and why they cannot be listed, where they cannot."""
    try:
        choices = work.interview.choices(question)
    except BadAnswer as problem:
        return (), problem.message
    return work.questionnaire.describe(question).choices if question.choices == choices else choices, ""


def _default(work: Answering, question: Question, applies: bool) -> str | None:
    """Return the default for what is known; None where there is none, or where it waits for another answer."""
    with contextlib.suppress(BadAnswer, Refused):
        return work.interview.default(question) if applies else None
    return None
