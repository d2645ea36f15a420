"""The help of a command as it was printed before: to read it takes less than to import what makes it.

Each text lies in the cache, in a file of its own per command and width, under what tells whether it is still right.
"""

from __future__ import annotations

import os

from rigger.cli.completion import code_as_it_is, home_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WIDEST = 80  # characters: click fills no longer lines


def kept(words: Sequence[str]) -> str:
    """Return the help of the command that the words name; nothing where it was not printed before, or rigger has changed."""
    if not all(word.replace("-", "").isalpha() for word in words):
        return ""
    try:
        with open(file_of(words), encoding="utf-8") as file:
            stamp, _, text = file.read().partition("\n")
    except (OSError, ValueError):
        return ""
    return text if stamp == code_as_it_is() else ""


def file_of(words: Sequence[str]) -> str:
    """Return the file of a command's help, as wide as it is shown now."""
    return os.path.join(home_folder(), "cache", "help", f"{' '.join(words)} {_columns()}")


def _columns() -> int:
    """Return the width that click would fill: of COLUMNS, or of the terminal."""
    try:
        columns = int(os.environ.get("COLUMNS") or 0)
    except ValueError:
        columns = 0
    if columns <= 0:
        try:
            columns = os.get_terminal_size(1).columns
        except OSError:
            columns = WIDEST
    return min(columns or WIDEST, WIDEST)
