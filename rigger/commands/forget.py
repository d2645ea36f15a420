"""rigger forget"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument
from rigger.operations import forget as operation
from rigger.operations.forget import Forgotten
from rigger.ui.printer import Printer


def show(printer: Printer, result: Forgotten) -> None:
    printer.line(f"{result.name} is forgotten.")


@command("forget", asks=True, show=show)
@argument("name")
def forget(app: App, name: str) -> Forgotten:
    return operation.forget(app.home, name, app.consent())
