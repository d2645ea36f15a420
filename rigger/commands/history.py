"""rigger history"""

from __future__ import annotations

import time

from rigger.audit.runs import seconds
from rigger.cli.app import App, command
from rigger.cli.declared import argument
from rigger.later import later
from rigger.operations import history as operation
from rigger.operations.history import PastRun, Runs
from rigger.text import duration, visible
from rigger.ui.printer import Printer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations import value_history as values
    from rigger.operations.value_history import ValueChange, ValueChanges
else:
    values = later("rigger.operations.value_history")


def show(printer: Printer, result: Runs | ValueChanges) -> None:
    if isinstance(result, Runs):
        _show_runs(printer, result)
        return
    headers = ("when", "from", "to", "how", "who", "run", "why")
    rows = [_change(change) for change in result.changes[::-1]]
    used = [number for number, _ in enumerate(headers) if any(row[number] for row in rows)]
    rows = [tuple(row[number] for number in used) for row in rows]
    rest = f"rigger history {result.name} -o json"
    printer.table(rows, headers=tuple(headers[number] for number in used), rest=rest)


def _change(change: ValueChange) -> tuple[str, ...]:
    run = change.applied or change.cause
    since = f"{run.number} {run.command}" if run.number else ""
    return (local(change.cause.time), *shown(change), change.how, change.cause.who, since, run.reason)


def shown(change: ValueChange) -> tuple[str, str]:
    """Return a value as it was and as it is, for people; what is hidden is only said to have changed."""
    if change.hidden:
        return "", "not set" if change.gone else "changed"
    return _value(change.before), _value(change.after)


def _value(value: str | None) -> str:
    return "not set" if value is None else visible(value) or "empty"


def local(moment: str) -> str:
    """Return the time of a record as the clocks here show it."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds(moment)))


def _show_runs(printer: Printer, result: Runs) -> None:
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
@argument("name", required=False)
def history(app: App, name: str | None) -> Runs | ValueChanges:
    """The newest comes first. The version of a run is what ran before, and what ran after it or was to. With NAME, the
    changes of that value: when, who and why, and from which run on the cluster had it.
    """
    if name is not None:
        return values.value_history(app.environment(), name)
    return operation.history(app.environment())
