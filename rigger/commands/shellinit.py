"""rigger shellinit"""

from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.operations import shellinit as operation
from rigger.operations.shellinit import ShellLines
from rigger.ui.printer import Printer


def show(printer: Printer, result: ShellLines) -> None:
    printer.data(result.data)


@command("shellinit", show=show)
@option("--secrets", "with_secrets", is_flag=True, help="Print the secrets as well.")
def shellinit(app: App, with_secrets: bool) -> ShellLines:
    return operation.shellinit(app.home, app.environment(), with_secrets)
