"""The programs of the provider `aws`: python -m rigger.aws VERB [NAME]."""

from __future__ import annotations

import os
import sys

from rigger.aws import answers, session, steps
from rigger.errors import DifferencesFound, RiggerError, StepFailed


class Answers(dict):
    """The variables of a step or question; one that is missing is named in a sentence."""

    def __missing__(self, name: str):
        raise StepFailed(f"{name} has no answer, and this depends on it.")


def main(arguments: list[str]) -> int:
    """Run a step, or answer for a question; return the exit code."""
    verb, *rest = arguments or [""]
    values = Answers(os.environ)
    function = (
        getattr(answers, verb.replace("-", "_"), None) if verb.startswith(("list-", "check-")) else None
    )
    try:
        if function is None:
            getattr(steps, verb)(values)
        else:
            for value, description in function(values, *rest) or ():
                print(f"{value}\t{description}")
    except RiggerError as problem:
        return _fail(problem)
    except session.problems() as problem:
        return _fail(session.plainly(problem, values.get("AWS_REGION", "")))
    return 0


def _fail(problem: RiggerError) -> int:
    said = f"{problem.message} {problem.next_step}".rstrip()
    print(f"error: {said}" if _is_step() else said, file=sys.stderr)
    return problem.exit_code if isinstance(problem, DifferencesFound) else 1


def _is_step() -> bool:
    return bool(os.environ.get("RIGGER_STEP"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
