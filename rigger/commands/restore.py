"""rigger restore"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument
from rigger.operations import backup as operation
from rigger.operations.result import RunResult
from rigger.ui.printer import Printer
from rigger.ui.wizard import Wizard


def show(printer: Printer, result: RunResult) -> None:
    printer.line(f"{result.environment} has the data of {result.before['file']}.")


@command("restore", acts=True, asks=True, reports=True, streams=True, show=show)
@argument("path", metavar="FILE")
def restore(app: App, path: str) -> RunResult:
    return operation.restore(app.environment(), path, app.printer, app.consent(Wizard))
