"""rigger history"""

from rigger.cli.app import App, command
from rigger.operations import history as operation
from rigger.operations.history import PastRun, Runs
from rigger.text import duration
from rigger.ui.printer import Printer


def show(printer: Printer, result: Runs) -> None:
    if not result.runs:
        printer.line(f"{result.environment} has not run anything yet.")
        return
    rows = [
        (run.run, run.command, run.outcome, run.version, _counted(run), _spent(run)) for run in result.runs
    ]
    printer.table(rows, headers=("run", "command", "outcome", "version", "steps", "time"))


@command("history", reports=True, show=show)
def history(app: App) -> Runs:
    return operation.history(app.environment())


def _counted(run: PastRun) -> str:
    return "1 step" if len(run.steps) == 1 else f"{len(run.steps)} steps"


def _spent(run: PastRun) -> str:
    return duration(sum(step.seconds for step in run.steps))
