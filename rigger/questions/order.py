"""In which order questions are asked: secrets last, where no other question needs them."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.questions.model import Question


def credentials_last(questions: Sequence[Question]) -> list[Question]:
    """Move secrets behind the other questions, but for those that a later question needs.

    A later question needs a secret when it names it, or when it asks a program, which may have to log in.
    """
    kept: list[Question] = []
    moved: list[Question] = []
    for position, question in enumerate(questions):
        later = questions[position + 1 :]
        (moved if question.secret and not _needed(question.name, later) else kept).append(question)
    return kept + moved


def _needed(name: str, later: Sequence[Question]) -> bool:
    return any(
        other.live
        or (other.check and not other.secret)
        or name in names_in(f"{other.when} {other.default or ''}")
        for other in later
    )


def names_in(source: str) -> set[str]:
    """Return the names that a template may have in it."""
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", source))
