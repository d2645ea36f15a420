"""The programs that a manifest names: which choices a question has, and whether an answer is accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rigger.questions.model import Choice, Question, of_program
from rigger.redact.forms import MIN_LENGTH
from rigger.text import last_line

# The folder it lies in, the command, values -> (exit code, standard output, standard error).
RunProgram = Callable[[str, str, Mapping[str, str]], tuple[int, str, str]]


def list_choices(run: RunProgram, question: Question, values: Mapping[str, str]) -> tuple[Choice, ...]:
    """Return the choices that a question's program prints; raises BadAnswer if it fails."""
    code, output, errors = run(question.folder, question.choices_command, values)
    if code != 0:
        reason = (last_line(errors, output) or f"it exited {code}").rstrip(".")
        raise of_program(
            f"{question.choices_command} could not list the choices of {question.name}: {reason}.", reason
        )
    lines = [line.partition("\t") for line in output.splitlines() if line.strip()]
    return tuple(Choice(value.strip(), description.strip()) for value, _, description in lines)


def require_accepted(run: RunProgram, question: Question, values: Mapping[str, str], value: str) -> None:
    """Raise BadAnswer with the last line of a question's program if it does not accept a value."""
    code, output, errors = run(question.folder, question.check, {**values, question.name: value})
    if code != 0:
        reason = last_line(errors, output) or f"{question.check} exited {code}"
        if question.secret and len(value.encode("utf-8", "surrogateescape")) >= MIN_LENGTH:
            reason = reason.replace(value, "***")
        reason = reason.rstrip(".")
        raise of_program(f"{question.name} was not accepted: {reason}.", reason)
