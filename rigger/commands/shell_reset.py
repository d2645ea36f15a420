"""rigger shell-reset"""

from rigger.cli.app import App, command
from rigger.operations import shellinit as operation
from rigger.operations.shellinit import ShellLines
from rigger.ui.printer import Printer


def show(printer: Printer, result: ShellLines) -> None:
    printer.data(result.data)


@command("shell-reset", show=show)
def shell_reset(app: App) -> ShellLines:
    return operation.shell_reset(app.home, app.name)
