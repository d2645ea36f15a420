"""The folder of a run: its plan, and what its steps say and give back."""

from __future__ import annotations

import os
import time

from rigger.errors import NotReady

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rigger.environments.environment import Environment


def new_folder(environment: Environment, command: str, say: Callable[[str], None]) -> tuple[str, str]:
    """Make a run's folder and return its name and path; raises NotReady where it cannot be made.

    For `destroy` one for temporary files will do, which is said: what costs money must be removable.
    """
    try:
        return _new_folder(environment, command)
    except OSError as problem:
        reason = f"{problem.filename} cannot be made: {problem.strerror}"
        aside = _folder_aside() if command == "destroy" else None
        if aside is None:
            raise NotReady(
                f"{reason}; nothing was started.",
                "Make room or correct the permissions, then run the same command again.",
            ) from None
    say(f"{reason}: what the scripts say is kept in {aside}.")
    return _name(command), aside


def _folder_aside() -> str | None:
    import tempfile  # slow to import, and hardly ever needed

    try:
        return tempfile.mkdtemp(prefix="rigger-destroy-")
    except OSError:
        return None


def _name(command: str) -> str:
    return f"{time.strftime('%Y%m%dT%H%M%S')}-{command.replace(' ', '-').replace('/', '-')}"


def _new_folder(environment: Environment, command: str) -> tuple[str, str]:
    """Make a run's folder, named by the time and the command, two of one second differently; raises OSError."""
    stem = _name(command)
    runs, name, attempt = environment.file("runs"), stem, 1
    os.makedirs(runs, mode=0o700, exist_ok=True)
    while os.path.exists(os.path.join(runs, name)):  # nobody else makes one: the lock is held
        attempt += 1
        name = f"{stem}-{attempt}"
    os.mkdir(os.path.join(runs, name), 0o700)
    return name, os.path.join(runs, name)
