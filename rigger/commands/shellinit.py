"""rigger shellinit"""

from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.operations import shellinit as operation
from rigger.operations.shellinit import POSIX, SHELLS, ShellLines
from rigger.ui.printer import Printer


def show(printer: Printer, result: ShellLines) -> None:
    printer.data(result.data)


@command("shellinit", show=show)
@option("--secrets", "with_secrets", is_flag=True, help="Print the secrets as well.")
@option("--shell", choices=SHELLS, default=POSIX, help="The shell that reads it: posix, or fish.")
def shellinit(app: App, with_secrets: bool, shell: str) -> ShellLines:
    return operation.shellinit(app.home, app.environment(), with_secrets, shell)
