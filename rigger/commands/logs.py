"""rigger logs"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.errors import BadUsage
from rigger.operations import logs as operation
from rigger.operations.logs import Logs, StepLog
from rigger.ui.printer import Printer


def show(printer: Printer, result: Logs) -> None:
    if not result.run:
        printer.line(f"{result.environment} has not run anything yet.")
    elif not result.steps:
        printer.line(f"Run {result.run} printed nothing.")
    for step, start in zip(result.steps, result.starts, strict=True):
        _show_step(printer, step)
        for block in step.content(start):
            printer.data(block)


def _show_step(printer: Printer, step: StepLog) -> None:
    printer.heading(f"==> {step.run} {step.number} {step.module} {step.step}")


@command("logs", reports=True, show=show)
@option("--follow", is_flag=True, help="Follow the run until it has ended.")
@option("--tail", metavar="N", help="Only the last N lines.")
@argument("run", required=False)
@argument("step", required=False)
def logs(app: App, run: str | None, step: str | None, follow: bool, tail: str | None) -> Logs | None:
    """RUN is a number of "rigger history", "last" (as if it were left out), a command such as provision, whose last run
    is meant, or the beginning of a run's id. STEP is a number or a name.
    """
    if app.json and (follow or tail is not None):
        raise BadUsage("-o json names the files of the logs, and prints nothing of them.", "Leave one out.")
    environment = app.environment()
    if tail is not None and not tail.isdecimal():
        raise BadUsage(f"--tail {tail!r} is no number of lines.", "For example --tail 20.")
    found = operation.logs(environment, run, step, int(tail) if tail else None)
    if not follow or not found.run:
        return found
    for part in operation.follow(environment, found, step):
        if isinstance(part, StepLog):
            _show_step(app.printer, part)
        else:
            app.printer.data(part)
    return None
