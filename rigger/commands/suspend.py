"""rigger suspend"""

from rigger.cli.app import App, command
from rigger.operations import suspend as operation
from rigger.operations.result import Result, RunResult
from rigger.ui.printer import Printer


def show(printer: Printer, result: RunResult) -> None:
    printer.line(f"{result.environment} is suspended.")
    printer.ways(("Start it again", "rigger resume"))


@command("suspend", acts=True, plans=True, asks=True, reports=True, streams=True, show=show)
def suspend(app: App) -> Result:
    environment, consent = app.environment(), app.consent()
    return app.once(lambda: operation.suspend(environment, app.printer, consent))
