"""The programs of the provider `aws`: main.py VERB [WORD...] for a step, main.py list-WHAT or check-WHAT [NAME] for a question."""

from __future__ import annotations

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
if sys.path[0] != FOLDER:  # Python leaves it out where PYTHONSAFEPATH is set
    sys.path.insert(0, FOLDER)

from aws import answers, session, steps  # noqa: E402

from rigger import sdk  # noqa: E402


def main(arguments: list[str]) -> int:
    """Run a step, or answer for a question; return the exit code."""
    verb, *rest = arguments or [""]
    program = _answer_for if verb.startswith(("list-", "check-")) else _step

    def plainly(values: sdk.Answers) -> None:
        try:
            program(values, verb, *rest)
        except sdk.RiggerError:
            raise
        except session.problems() as problem:
            raise session.plainly(problem, values.get("AWS_REGION", "")) from None

    return sdk.run(plainly)


def _step(values: sdk.Answers, verb: str, *words: str) -> None:
    getattr(steps, verb)(values, *words)


def _answer_for(values: sdk.Answers, verb: str, *names: str) -> None:
    sdk.list_choices(getattr(answers, verb.replace("-", "_"))(values, *names) or ())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
