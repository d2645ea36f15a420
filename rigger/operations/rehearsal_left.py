"""Remove the copies that killed rehearsals left behind."""

from __future__ import annotations

from rigger.errors import Locked, RiggerError
from rigger.operations.rehearsal_copy import clear
from rigger.rehearsals.copies import PrivateHome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.runs.reporter import Reporter


def remove(paths: Sequence[str], reporter: Reporter) -> None:
    """Remove the copies in these private homes whose rehearsals are over; one that goes on is left alone.

    A copy that cannot be removed is warned of: it is in nobody's way, but may cost money.
    """
    for path in paths:
        private = PrivateHome(path)
        try:
            with private.held():
                reporter.warn(f"A rehearsal of {private.name} was killed: its copy is removed now.")
                clear(private)
        except Locked:
            continue
        except RiggerError as problem:
            reporter.warn(f"{problem.message}\n{problem.next_step}")
