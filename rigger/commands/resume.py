"""rigger resume"""

from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.operations import suspend as operation
from rigger.operations.result import Result, RunResult
from rigger.ui.printer import Printer


def show(printer: Printer, result: RunResult) -> None:
    printer.line(f"{result.environment} runs again.")
    printer.ways(("Check it", "rigger check"), ("Look at it", "rigger status"))


@command("resume", acts=True, plans=True, asks=True, reports=True, streams=True, show=show)
@option("--empty", is_flag=True, help="Do not put the old data back.")
def resume(app: App, empty: bool) -> Result:
    environment, consent = app.environment(), app.consent()
    return app.once(lambda: operation.resume(environment, app.printer, empty, consent))
