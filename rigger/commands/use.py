"""rigger use"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument
from rigger.operations import use as operation
from rigger.operations.use import Used
from rigger.ui.printer import Printer


def show(printer: Printer, result: Used) -> None:
    printer.line(f"{result.name} is the current environment.")


@command("use", asks=True, show=show)
@argument("name")
def use(app: App, name: str) -> Used:
    return operation.use(app.home, name)
