"""rigger history"""

import time

from rigger.audit.runs import seconds
from rigger.cli.app import App, command
from rigger.operations import history as operation
from rigger.operations.history import PastRun, Runs
from rigger.text import duration
from rigger.ui.printer import Printer


def show(printer: Printer, result: Runs) -> None:
    if not result.runs:
        printer.line(f"{result.environment} has not run anything yet.")
        return
    runs = result.runs[::-1]  # the newest first
    moments = [time.localtime(seconds(run.time)) for run in runs]
    zones = {time.strftime("%Z", moment) for moment in moments}
    when = "when" if len(zones) > 1 else f"WHEN ({zones.pop()})"
    form = "%Y-%m-%d %H:%M" + (" %Z" if when == "when" else "")
    rows = [_cells(run, time.strftime(form, moment)) for run, moment in zip(runs, moments, strict=True)]
    headers = ["run", when, "what", "version", "ended", "took", "who", "why"]
    if not any(run.reason for run in runs):
        headers, rows = headers[:-1], [row[:-1] for row in rows]
    printer.table(rows, headers=headers, rest="rigger history -o json")
    printer.line("What a run printed:")
    printer.line(f"  rigger logs {runs[0].number}")


def _cells(run: PastRun, when: str) -> tuple[str, ...]:
    took = duration(run.seconds)
    who = f"{run.actor} (by {run.by})" if run.actor else run.by
    return (str(run.number), when, run.command, _versions(run), run.outcome, took, who, run.reason)


def _versions(run: PastRun) -> str:
    return run.after if run.before == run.after else f"{run.before or '-'} → {run.after or '-'}"


@command("history", reports=True, show=show)
def history(app: App) -> Runs:
    """The newest run comes first. The version is what ran before, and what ran after it or was to."""
    return operation.history(app.environment())
