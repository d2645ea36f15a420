"""rigger logs"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument
from rigger.operations import history as operation
from rigger.operations.history import Logs
from rigger.ui.printer import Printer


def show(printer: Printer, result: Logs) -> None:
    if not result.steps:
        printer.line(f"{result.environment} has not run anything yet.")
    for step in result.steps:
        printer.heading(f"==> {step.run} {step.number} {step.module} {step.step}")
        for block in step.content():
            printer.data(block)


@command("logs", reports=True, show=show)
@argument("run", required=False)
@argument("step", required=False)
def logs(app: App, run: str | None, step: str | None) -> Logs:
    """The run is the last one or RUN; a STEP is given by its number or name."""
    return operation.logs(app.environment(), run, step)
