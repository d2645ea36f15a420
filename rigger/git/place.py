"""Where a git repository lies."""

from __future__ import annotations

import os


def is_repository(folder: str) -> bool:
    """Return whether a folder is one, as somebody works in it."""
    return os.path.exists(os.path.join(folder, ".git"))


def around(folder: str) -> str:
    """Return the repository that a folder is, or lies in; nothing where there is none."""
    folder = os.path.realpath(folder)
    while not is_repository(folder):
        folder, inner = os.path.dirname(folder), folder
        if folder == inner:
            return ""
    return folder
