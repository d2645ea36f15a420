"""rigger destroy"""

from rigger.cli.app import App, command
from rigger.operations import destroy as operation
from rigger.operations.result import Result, RunResult
from rigger.ui.printer import Printer


def show(printer: Printer, result: RunResult) -> None:
    name = result.environment
    printer.line(f"{name} is destroyed; its record stays.")
    printer.ways(("Remove that", f"rigger forget {name}"), ("Make it again", "rigger provision"))


@command("destroy", acts=True, plans=True, asks=True, reports=True, streams=True, show=show)
def destroy(app: App) -> Result:
    environment, consent = app.environment(), app.consent()
    if app.only_plans:
        return operation.plan(environment, app.printer)
    return app.once(lambda: operation.destroy(environment, app.printer, consent))
