"""rigger resume"""

import os

import click

from rigger.audit import suspension
from rigger.cli.app import App, command
from rigger.environments.environment import Environment
from rigger.errors import BadUsage
from rigger.plans import lifecycle
from rigger.plans.lifecycle import with_clients
from rigger.runs import preflight
from rigger.runs.recovery import load_config
from rigger.runs.run import Run


@command("resume", reports=True, streams=True)
@click.option("--empty", is_flag=True, help="Do not put the data of before back.")
def resume(app: App, empty: bool):
    """Start suspended machines again, with the platform and its data."""
    environment = app.environment()
    with environment.locked("rigger resume") as lock:
        settled = load_config(environment)
        planned = lifecycle.resume(settled, _backup(environment, empty))
        planned = with_clients(settled, environment.bin_dir, planned)
        preflight.require(environment, settled, planned)
        run = Run(environment, settled, app.printer, lock)
        app.carry_out(run, planned)
        environment.audit.append("resumed", run.id)
    app.printer.line(f"{environment.name} runs again. Next: rigger check, rigger status")


def _backup(environment: Environment, empty: bool) -> str:
    """Return the backup of the last suspend, nothing where none was made or none is wanted; raises BadUsage."""
    if suspension.last(environment.audit.records()) is None:
        raise BadUsage(f"{environment.name} is not suspended.", '"rigger status" shows what exists.')
    saved = "" if empty else suspension.backup(environment.audit.records())
    path = environment.file(saved) if saved else ""
    if path and not os.path.isfile(path):
        raise BadUsage(
            f"The backup that resume would put back is not here: {path}.",
            'Put it there again, or type "rigger resume --empty" for a cluster without its data.',
        )
    return path
