"""What is said of values that are missing, or that no longer hold."""

from __future__ import annotations

from rigger.errors import BadUsage, InvalidConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rigger.questions.model import BadAnswer, Question


def missing_values(
    missing: Sequence[Question], command: str, set_aside: Mapping[str, BadAnswer] | None = None
) -> BadUsage:
    """Return the error that lists every missing value with its flag, and why one that is there does not count."""
    lines: list[str] = []
    told: dict[str, str] = {}  # what a program said, and of which question first
    for question in missing:
        reason = (set_aside or {}).get(question.name)
        flag = question.flag if question.flag else f"{question.flag_form}..."
        why = f" {reason.message}" if reason else ""
        if reason and reason.cause and told.setdefault(reason.cause, question.name) != question.name:
            why = f" (Cannot be looked up for the same reason as {told[reason.cause]}.)"
        lines.append(f"  {flag}   {question.ask}{why}")
    noun = "value is" if len(missing) == 1 else "values are"
    return BadUsage(
        f"{len(missing)} {noun} missing and there is no terminal to ask on:\n" + "\n".join(lines),
        f"Give each with its flag, as RIGGER_<NAME> in the environment, or in a file: {command} --answers FILE",
    )


def saved_problem(question: Question, problem: BadAnswer, path: str) -> InvalidConfig:
    """Return the error for a stored value that its question no longer accepts."""
    return InvalidConfig(
        f"{path}: {problem.message}", f'Run "rigger config set {question.name}=..." or "rigger configure".'
    )
