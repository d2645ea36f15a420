"""The command that runs a script of a shell so that it prints every command before it runs it."""

from __future__ import annotations

from rigger.modules.scripts import SHELLS, interpreter_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TRACE = {"RIGGER_TRACE": "1"}  # by which bash traces: see libexec/on-error.bash


def traced(argv: Sequence[str]) -> list[str] | None:
    """Return the command with -x, None where it runs no script of a shell; bash is told by `TRACE`."""
    try:
        with open(argv[0], "rb") as file:
            first = file.readline(256).decode("utf-8", "replace")
    except OSError:
        return None
    shell = interpreter_name(first)
    if shell == "bash":
        return list(argv)
    return [*first[2:].split(), "-x", *argv] if shell in SHELLS else None
