"""The report of a command, as programs read it: the same words for the same things, whatever the command."""

from __future__ import annotations

from rigger.errors import Declined, DifferencesFound, Interrupted, Paused, RiggerError, RolledBack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.operations.result import Result

VERSION = 1  # of the form of all reports: another one where a field is no longer what it was
DONE, FAILED = "done", "failed"
OUTCOMES = {
    0: DONE,
    DifferencesFound.exit_code: "differs",
    Declined.exit_code: "declined",
    Paused.exit_code: "paused",
    RolledBack.exit_code: "rolled-back",
    Interrupted.exit_code: "interrupted",
}


def outcome_of(exit_code: int) -> str:
    """Return in a word how a command ended that had this exit code."""
    return OUTCOMES.get(exit_code, FAILED)


def report_of(result: Result | None, problem: RiggerError | None = None) -> dict[str, Any]:
    """Return the report of what a command came to: its result, and what went wrong where something did."""
    code = problem.exit_code if problem else 0
    report = {"version": VERSION, "outcome": outcome_of(code), "exit_code": code}
    if problem:
        report["error"] = {"message": problem.message, "next": problem.next_step, "topic": problem.topic}
    return {**report, **(result.as_dict() if result else {})}
