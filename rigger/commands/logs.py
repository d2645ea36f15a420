"""rigger logs"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.errors import BadUsage
from rigger.operations import logs as operation
from rigger.operations.events import Offset, beginning, events
from rigger.operations.history import history, named
from rigger.operations.logs import Logs, StepLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.environment import Environment
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
@option("--from", "offset", metavar="OFFSET", help="With --follow -o json: begin behind this place.")
@argument("run", required=False)
@argument("step", required=False)
def logs(
    app: App, run: str | None, step: str | None, follow: bool, tail: str | None, offset: str | None
) -> Logs | None:
    """RUN is a number of "rigger history", "last" (as if it were left out), a command such as provision, whose last run
    is meant, or the beginning of a run's id. STEP is a number or a name. With --follow, -o json prints a line for each
    record and each block of a log, from RUN on, until nobody works on the environment.
    """
    environment = app.environment()
    if app.json and follow and tail is None and step is None:
        _stream(app, environment, run, offset)
        return None
    if offset is not None:
        raise BadUsage("--from is about a stream of events.", "Add --follow -o json.")
    if app.json and (follow or tail is not None):
        raise BadUsage(
            "-o json names the files of the logs; with --follow it prints all that happens.",
            "Leave out --tail and the step.",
        )
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


def _stream(app: App, environment: Environment, run: str | None, offset: str | None) -> None:
    """Print what happens from a run on, or from a place that was read before."""
    if offset is not None and run is not None:
        raise BadUsage("--from and a run are two places to begin at.", "Leave one out.")
    start = Offset.parse(offset) if offset is not None else None
    if start is None:
        runs = history(environment).runs
        start = beginning(environment, named(runs, run).run) if runs else Offset()
    for event in events(environment, start):
        app.printer.event(event)
        if app.printer.unread:
            return
