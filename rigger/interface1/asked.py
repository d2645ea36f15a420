"""A question as config.sh asks it, as one of rigger's own."""

from __future__ import annotations

import re

from rigger.errors import StepFailed
from rigger.interface1.outcome import SECRET
from rigger.questions.model import Choice, Question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Sequence

KEY_KIND = "rsa"  # of a key that is made: platforms of that time took no other


def question_of(
    kind: str,
    name: str,
    text: str,
    default: str,
    options: Sequence[str],
    *,
    environ: Container[str],
    origin: str,
    folder: str,
) -> Question:
    """Return the question that config.sh asks with a shell function; raises StepFailed for one without choices."""
    choices: tuple[Choice, ...] = ()
    if kind == "select":
        choices = tuple(Choice(str(number), option) for number, option in enumerate(options, 1))
        if not choices:
            raise StepFailed(f"{origin} asks for {name} with no options to choose from.")
        default = _number(default, options)
    elif kind == "text" and SECRET.search(name):
        kind = "secret"
    return Question(
        name=name,
        ask=text or f"{name}?",
        type=kind,
        choices=choices,
        default=_literal(default) if default else None,
        env=(name,) if name in environ else (),
        pinned=True,
        make=KEY_KIND if kind == "ssh-key" else "",
        origin=origin,
        folder=folder,
        decides=True,
    )


def _number(default: str, options: Sequence[str]) -> str:
    """Return the number of the default choice, which may be given as a number or as the option itself."""
    if default.isdigit() and 1 <= int(default) <= len(options):
        return str(int(default))
    return str(options.index(default) + 1) if default in options else "1"


def _literal(text: str) -> str:
    """Return a template that gives the text, whatever is in it."""
    return text if re.fullmatch(r"[^{}\n]*", text) else "{{ %r }}" % text  # noqa: UP031 - braces all over
