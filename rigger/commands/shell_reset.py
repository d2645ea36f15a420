"""rigger shell-reset"""

from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.operations import shellinit as operation
from rigger.operations.shellinit import POSIX, SHELLS, ShellLines
from rigger.ui.printer import Printer


def show(printer: Printer, result: ShellLines) -> None:
    printer.data(result.data)


@command("shell-reset", show=show)
@option("--shell", choices=SHELLS, default=POSIX, help="The shell that reads it: posix, or fish.")
def shell_reset(app: App, shell: str) -> ShellLines:
    return operation.shell_reset(app.home, app.name, shell)
