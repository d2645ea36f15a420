"""rigger backup"""

import os
from dataclasses import replace

import click

from rigger.audit.suspension import require_running
from rigger.cli.app import App, command
from rigger.errors import BadUsage
from rigger.plans import lifecycle
from rigger.plans.lifecycle import with_clients
from rigger.runs import preflight
from rigger.runs.recovery import load_config
from rigger.runs.run import Run


@command("backup", reports=True, streams=True)
@click.option(
    "-f", "--file", "path", metavar="FILE", help="Where to write it; default: the environment's folder."
)
def backup(app: App, path: str | None):
    """Back the platform's data up to a file."""
    environment = app.environment()
    with environment.locked("rigger backup") as lock:
        settled = load_config(environment)
        require_running(environment.name, environment.audit.records())
        planned = lifecycle.only(settled, "backup", "asked for")
        path = os.path.abspath(path) if path else environment.new_backup()
        if os.path.exists(path):
            raise BadUsage(f"{path} is there already.", "Name another file.")
        if not os.path.isdir(os.path.dirname(path)):
            raise BadUsage(f"There is no folder {os.path.dirname(path)}.", "Make it, or name another file.")
        planned = replace(planned, environ={"RIGGER_BACKUP_FILE": path})
        planned = with_clients(settled, environment.bin_dir, planned)
        preflight.require(environment, settled, planned)
        run = Run(environment, settled, app.printer, lock)
        app.carry_out(run, planned, file=path)
    for name, value in run.results[-1].figures.items():
        app.printer.line(f"  {name.replace('_', ' ')}: {value}")
    app.printer.line(f'The data is in {path}; "rigger restore {path}" puts it back.')
