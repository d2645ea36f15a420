"""rigger blame"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument
from rigger.commands.history import local, shown
from rigger.operations.value_history import ValueChanges, value_history
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.value_history import Cause
    from rigger.ui.printer import Printer


def show(printer: Printer, result: ValueChanges) -> None:
    change = result.changes[-1]
    printer.heading(f"{result.name}: {' → '.join(filter(None, shown(change)))}")
    rows = [("how", change.how), *_rows(change.cause)]
    if change.applied:
        rows += [("in effect", f"since {_run(change.applied)}"), *_rows(change.applied)[1:]]
    printer.table([row for row in rows if row[1]])
    if len(result.changes) == 1:
        return
    printer.ways((f"All {len(result.changes)} changes", f"rigger history {result.name}"))


def _rows(cause: Cause) -> list[tuple[str, str]]:
    run = _run(cause) if cause.number else cause.command
    return [("by", run), ("when", local(cause.time)), ("who", cause.who), ("why", cause.reason)]


def _run(cause: Cause) -> str:
    return f"run {cause.number}, {cause.command}"


@command("blame", reports=True, show=show)
@argument("name")
def blame(app: App, name: str) -> ValueChanges:
    """The last change of the value NAME: from what to what, and since which run the cluster has it. Of secrets, and of what
    no question asked for, it says that they changed.
    """
    result = value_history(app.environment(), name)
    return replace(result, changes=result.changes[-1:]) if app.json else result
