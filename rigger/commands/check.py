"""rigger check"""

from rigger.cli.app import App, command
from rigger.operations import check as operation
from rigger.operations.result import RunResult
from rigger.ui.printer import Printer


def show(printer: Printer, result: RunResult) -> None:
    printer.line(f"{result.environment} is as it should be.")


@command("check", reports=True, streams=True, show=show)
def check(app: App) -> RunResult:
    return operation.check(app.environment(), app.printer)
