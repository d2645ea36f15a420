"""Where a script of bash ended because a command failed, as `libexec/on-error.bash` notes it."""

from __future__ import annotations

import os

from rigger.runs.environment import LIBEXEC
from rigger.runs.step_files import content_of
from rigger.text import decode, sentence, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.plans.model import Step

WIDEST = 80  # columns of a command that are shown
ON_ERROR = os.path.join(LIBEXEC, "on-error.bash")


def noting(path: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which every bash notes in a file where it ends; a BASH_ENV of the user's still counts."""
    own = {"RIGGER_BASH_ENV": values["BASH_ENV"]} if values.get("BASH_ENV") else {}
    return {**own, "BASH_ENV": ON_ERROR, "RIGGER_FAILED_AT": path}


def place_of(path: str, exit_code: int, step: Step) -> str:
    """Return the line and the command with which a script ended, "" where nobody knows; the path is that of the notes.

    The script's own bash notes last, with the exit code that the script then has: what failed in a program that it
    called, and that it went on from, has another or is not the last.
    """
    notes = decode(content_of(path)).split("\0")[:-1]
    if not notes or not exit_code:
        return ""
    code, file, line, command = (notes[-1].split("\t", 3) + ["", "", ""])[:4]
    if code != str(exit_code):
        return ""
    whole = os.path.join(step.module.folder, file)
    shown = step.module.shown(whole) if file else step.shown
    return f"line {line} of {shown}: {shorten(sentence(command), WIDEST)}"
