"""The command that gives the same answers without a prompt."""

from __future__ import annotations

import re
import shlex

from rigger import text as texts
from rigger.configuration.inputs import whole_path
from rigger.redact.references import is_reference
from rigger.sources.spec import SOURCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.questions.interview import Interview


def equivalent(name: str, interview: Interview) -> str:
    """Return the command that gives the same answers without asking; secrets come from the environment."""
    trust = " --trust" if interview.values().get("REPOSITORY") else ""  # its scripts were agreed to
    hidden = interview.secret_names()
    words, secrets = [f"rigger configure --no-input{trust} --name {shell_word(name)}"], []
    for question in interview.applicable():
        answer = interview.answers.get(question.name)
        if answer is None or not answer.explicit or question.name == SOURCE:
            continue
        value = whole_path(question.name, answer.value)
        if question.name in hidden and not (question.secret and is_reference(value)):
            secrets.append(f'RIGGER_{question.name}="$RIGGER_{question.name}"')
        elif question.flag:
            words.append(f"{question.flag} {shell_word(value)}")
        else:
            words.append(f"--set {shell_word(f'{question.name}={value}')}")
    return " ".join([*secrets, *words])


def shell_word(text: str) -> str:
    """Return a word that every POSIX shell reads as that text, in printable characters and line breaks."""
    pieces = re.split(r"([^\n\x20-\x7e]+)", text) if not text.replace("\n", "").isprintable() else [text]
    return (
        "".join(
            _octal(piece) if n % 2 else shlex.quote(piece) if piece else "" for n, piece in enumerate(pieces)
        )
        or "''"
    )


def _octal(text: str) -> str:
    return "\"$(printf '" + "".join(f"\\{byte:03o}" for byte in texts.encode(text)) + "')\""
