"""rigger logs"""

import os

import click

from rigger.cli.app import App, command
from rigger.environments.environment import Environment
from rigger.errors import BadUsage
from rigger.text import did_you_mean


@command("logs", reports=True)
@click.argument("run", required=False)
@click.argument("step", required=False)
def logs(app: App, run: str | None, step: str | None):
    """The run is the last one or RUN; a STEP is given by its number or name."""
    environment = app.environment()
    found = [r for r in environment.audit.records() if r["event"] == "step-started"]
    if not found:
        app.printer.report([]) if app.json else app.printer.line(
            f"{environment.name} has not run anything yet."
        )
        return
    chosen = _of_run(environment, found, run)
    chosen = [record for record in chosen if step is None or _is(record, step)]
    if not chosen:
        raise BadUsage(f"That run has no step {step!r}.", 'Type "rigger history -o json" to see its steps.')
    if app.json:
        app.printer.report(
            [
                {k: r[k] for k in ("run", "number", "module", "step")} | {"log": environment.file(r["log"])}
                for r in chosen
            ]
        )
        return
    for record in chosen:
        app.printer.heading(f"==> {record['run']} {record['number']} {record['module']} {record['step']}")
        _print(app, environment.file(record["log"]))


def _of_run(environment: Environment, found: list[dict], run: str | None) -> list[dict]:
    names = list(dict.fromkeys(record["run"] for record in found))
    if run is None:
        run = names[-1]
    elif len(matching := [name for name in names if name.startswith(run)]) == 1:
        run = matching[0]
    elif run not in names:
        raise BadUsage(
            f"There is no run {run!r} with steps{did_you_mean(run, names)}.", 'Type "rigger history".'
        )
    return [record for record in found if record["run"] == run]


def _is(record: dict, step: str) -> bool:
    number = f"{record['number']:02d}"
    names = (
        str(record["number"]),
        number,
        record["step"],
        f"{number}-{record['step']}",
        f"{record['module']}/{record['step']}",
    )
    return step in names


def _print(app: App, path: str) -> None:
    try:
        with open(path, "rb") as log:
            while block := log.read(1 << 16):
                app.printer.data(block)
    except FileNotFoundError:
        app.printer.data(b"(no log: " + os.fsencode(os.path.basename(path)) + b" was never begun)\n")
