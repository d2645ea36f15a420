"""rigger diff"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.operations import run_difference as operation
from rigger.operations.run_difference import SHORT, RunDifference
from rigger.text import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.ui.printer import Printer


def show(printer: Printer, result: RunDifference) -> None:
    if not result:
        printer.line("No difference.")
        return
    ends = tuple(f"run {run.number}, {run.command}" for run in (result.before, result.after))
    rest = "rigger diff -o json"
    if result.values:
        printer.table(operation.rows_of(result.values), headers=("value", *ends), rest=rest)
    for title, pairs in (("script", result.scripts), ("version", result.versions), ("node", result.nodes)):
        if pairs:
            printer.line()
            rows = [(name, *(_short(one) for one in pair)) for name, pair in pairs.items()]
            printer.table(rows, headers=(title, *ends), rest=rest)


def _short(value: str | None) -> str:
    if value is None:
        return "-"
    digest = len(value) in (40, 64) and not value.strip("0123456789abcdef")
    return value[:SHORT] if digest else visible(value)


@command("diff", reports=True, show=show, show_failed=show)
@argument("a", metavar="RUN")
@argument("b", metavar="RUN")
@option("--exit-code", is_flag=True, help="Exit 8 when there is a difference.")
def diff(app: App, a: str, b: str, exit_code: bool) -> RunDifference:
    """In values, scripts, versions and nodes, once each of them had ended. RUN is as in "rigger logs": a number, "last", a
    command, or the beginning of an id. Of secrets, and of what no question asked for, it says that they changed.
    """
    return operation.compare_runs(app.environment(), a, b, strict=exit_code)
