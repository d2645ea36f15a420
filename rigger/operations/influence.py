"""What a run means for modules that it did not apply: those that it influences are told, and a person is."""

from __future__ import annotations

import os

from rigger.configuration.resolve import resolve
from rigger.operations.related import related
from rigger.text import decode, last_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rigger.operations.session import Session
    from rigger.runs.result import StepResult

LAST = 4096  # bytes of a log that its last line lies in


def influenced(work: Session, results: Sequence[StepResult]) -> Mapping[str, Any]:
    """Return the add-ons that would be another after a run, and what their plans say; nothing of them is applied.

    Those without a script `plan` are named where what their last apply read is not what it was.
    """
    applied = {result.step.module.name for result in results if result.step.verb == "apply" and result.good}
    found = [
        {"module": result.step.module.name, "plan": _said(result.log)}
        for result in results
        if result.step.verb == "plan" and result.step.goes_on and result.differs
    ]
    config = resolve(work.environment)  # with what the run gave
    known = related(work.environment, config)
    told = {result.step.module.name for result in results if result.step.verb == "plan"}
    for name, others in (known.changed if known else {}).items():
        module = config.addon(name)
        if others and module and not module.script("plan") and name not in applied | told:
            found.append({"module": name, "plan": ""})
    return {"influenced": found} if found else {}


def _said(log: str) -> str:
    """Return the last line of a log."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LAST))
            return last_line(decode(file.read()))
    except OSError:
        return ""
