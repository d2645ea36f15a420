"""The command that runs a script of a shell so that it prints every command before it runs it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = ("bash", "sh", "dash", "ksh", "zsh")
TRACE = {"RIGGER_TRACE": "1"}  # by which bash traces: see libexec/on-error.bash


def traced(argv: Sequence[str]) -> list[str] | None:
    """Return the command with -x, None where it runs no script of a shell; bash is told by `TRACE`."""
    try:
        with open(argv[0], "rb") as file:
            first = file.readline(256).decode("utf-8", "replace")
    except OSError:
        return None
    words = first[2:].split() if first.startswith("#!") else []
    shell = [os.path.basename(word) for word in words]
    if shell[:1] == ["env"]:
        shell = [word for word in shell[1:] if not word.startswith("-")]
    if shell[:1] == ["bash"]:
        return list(argv)
    return [*words, "-x", *argv] if shell[:1] and shell[0] in SHELLS else None
