"""Other programs that bring packages and images: each is run here, and says why it could not."""

from __future__ import annotations

import os
import shutil

from rigger.errors import NotReady, StepFailed
from rigger.process import capture
from rigger.text import last_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECONDS = 1800.0  # that one package or image may take with all that it needs


class Failed(Exception):
    """A program could not bring something; the text says why, in a phrase."""


def run(argv: Sequence[str], environ: Mapping[str, str] | None = None, cwd: str | None = None) -> str:
    """Run a program and return what it printed; raises Failed with its last line where it failed."""
    env = {**os.environ, "LC_ALL": "C", **(environ or {})}
    try:
        done = capture.capture(argv, cwd=cwd, env=env, timeout=SECONDS)
    except StepFailed as problem:
        raise Failed(problem.message.rstrip(".")) from None
    output, errors = (part.decode("utf-8", "replace") for part in (done.output, done.errors))
    if done.exit_code:
        said = [line for line in errors.splitlines() if line.strip()]
        marked = [line for line in said if line.startswith(("E: ", "ERROR: "))]
        why = marked[-1] if marked else last_line(errors, output)
        raise Failed(why or f"{os.path.basename(argv[0])} exited {done.exit_code}")
    return output


def require(name: str, why: str) -> str:
    """Return the path of a program; raises NotReady where it is not installed."""
    path = shutil.which(name)
    if path is None:
        raise NotReady(
            f"{name} is not installed, which {why}.", f"Install it, for example: apt-get install {name}"
        )
    return path
