"""The folder of a run: its plan, and what its steps say and give back."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from rigger.errors import NotReady

if TYPE_CHECKING:
    from rigger.environments.environment import Environment


def new_folder(environment: Environment, command: str) -> tuple[str, str]:
    """Make a run's folder, named by the time and the command; two runs of one second get different names."""
    stem = f"{time.strftime('%Y%m%dT%H%M%S')}-{command.replace(' ', '-')}"
    runs, name, attempt = environment.file("runs"), stem, 1
    try:
        os.makedirs(runs, mode=0o700, exist_ok=True)
        while os.path.exists(os.path.join(runs, name)):  # nobody else makes one: the lock is held
            attempt += 1
            name = f"{stem}-{attempt}"
        os.mkdir(os.path.join(runs, name), 0o700)
    except OSError as problem:
        raise NotReady(
            f"{problem.filename} cannot be made: {problem.strerror}; nothing was started.",
            "Make room or correct the permissions, then run the same command again.",
        ) from None
    return name, os.path.join(runs, name)
