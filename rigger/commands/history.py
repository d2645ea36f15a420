"""rigger history"""

from rigger.audit.log import outcome_without_end
from rigger.cli.app import App, command
from rigger.text import duration


@command("history", reports=True)
def history(app: App):
    environment = app.environment()
    runs = _runs(environment.audit.records(), environment.lock.busy_since())
    if app.json:
        app.printer.report(runs)
    elif not runs:
        app.printer.line(f"{environment.name} has not run anything yet.")
    else:
        rows = [
            (r["run"], r["command"], r["outcome"], r["version"], _counted(r["steps"]), _spent(r))
            for r in runs
        ]
        app.printer.table(rows, headers=("run", "command", "outcome", "version", "steps", "time"))


def _runs(records, busy_since: float | None) -> list[dict]:
    """Return the runs in order, each with its steps; one without an end is under way, or was cut off."""
    runs: dict[str, dict] = {}
    for record in records:
        if record["event"] == "run-started":
            runs[record["run"]] = {
                **{key: record.get(key, "") for key in ("run", "command", "time", "by", "version")},
                "outcome": outcome_without_end(record, busy_since),
                "steps": [],
            }
        elif record["run"] in runs and record["event"] == "step-finished":
            keys = ("number", "module", "step", "exit_code", "seconds", "changed")
            runs[record["run"]]["steps"].append({key: record.get(key) for key in keys})
        elif record["run"] in runs and record["event"] == "run-finished":
            runs[record["run"]]["outcome"] = record["outcome"]
    return [*runs.values()]


def _counted(steps: list) -> str:
    return "1 step" if len(steps) == 1 else f"{len(steps)} steps"


def _spent(run: dict) -> str:
    return duration(sum(step["seconds"] or 0 for step in run["steps"]))
