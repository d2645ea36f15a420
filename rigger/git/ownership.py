"""Does git work in a repository, or does it refuse one that belongs to somebody else?"""

from __future__ import annotations

import os
import re

from rigger.errors import StepFailed
from rigger.process import capture
from rigger.text import decode, printable
from rigger.values import frozen


@frozen
class OwnershipProblem:
    message: str
    remedy: str


def ownership_problem(folder: str) -> OwnershipProblem | None:
    """Return what git says of a repository of somebody else, with git's own remedy; None where it works there."""
    try:
        owners = {os.stat(path).st_uid for path in (folder, os.path.join(folder, ".git"))}
        if owners == {os.getuid()}:
            return None
        said = capture.capture(
            ["git", "-C", folder, "status", "--porcelain"], env={**os.environ, "LC_ALL": "C"}
        )
    except (OSError, StepFailed):  # no repository, or no git, which is said elsewhere
        return None
    errors = decode(said.errors)
    if said.exit_code == 0 or "dubious ownership" not in errors:
        return None
    named = re.search(r"repository at '(.*)'", errors)
    command = re.search(r"git config --global --add safe\.directory .*", errors)
    return OwnershipProblem(
        f"{printable(named[1]) if named else folder} belongs to somebody else, and git refuses to work there",
        printable(command[0]).strip() if command else f"git config --global --add safe.directory {folder}",
    )
