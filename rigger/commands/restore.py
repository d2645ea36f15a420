"""rigger restore"""

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


@command("restore", asks=True, reports=True, streams=True)
@click.argument("path", metavar="FILE")
def restore(app: App, path: str):
    """Put the platform's data back from FILE, which "rigger backup" wrote."""
    environment = app.environment()
    path = os.path.abspath(path)
    if not os.path.isfile(path):
        raise BadUsage(f"There is no file {path}.", 'Name one that "rigger backup" wrote.')
    with environment.locked("rigger restore") as lock:
        settled = load_config(environment)
        require_running(environment.name, environment.audit.records())
        planned = lifecycle.only(settled, "restore", f"from {path}")
        planned = replace(planned, environ={"RIGGER_BACKUP_FILE": path})
        planned = with_clients(settled, environment.bin_dir, planned)
        preflight.require(environment, settled, planned)
        app.printer.plan(planned)
        app.printer.warn(f"All data of {environment.name} will be replaced by what is in {path}.")
        app.agree("Go on, although the data of now will be replaced?")
        run = Run(environment, settled, app.printer, lock)
        app.carry_out(run, planned, file=path)
        environment.audit.append("restored", run.id, file=path)
    app.printer.line(f"{environment.name} has the data of {path}.")
