"""rigger resume"""

import os

import click

from rigger import plan, preflight, suspension
from rigger.cli import App, command
from rigger.environment import Environment
from rigger.errors import BadUsage
from rigger.run import Run, settle


@command("resume", reports=True, streams=True)
@click.option("--empty", is_flag=True, help="Do not put the data of before back.")
def resume(app: App, empty: bool):
    """Start suspended machines again, with the platform and its data."""
    environment = app.environment()
    with environment.locked("rigger resume") as lock:
        settled = settle(environment)
        planned = plan.resume(settled, _backup(environment, empty))
        planned = plan.with_clients(settled, environment.bin_dir, planned)
        preflight.require(environment, settled, planned)
        run = Run(environment, settled, app.printer, lock)
        app.carry_out(run, planned)
        environment.audit.append("resumed", run.id)
    app.printer.line(f"{environment.name} runs again. Next: rigger check, rigger status")


def _backup(environment: Environment, empty: bool) -> str:
    """Return the backup of the last suspend, nothing where none was made or none is wanted; raises BadUsage."""
    if suspension.last(environment.audit.records()) is None:
        raise BadUsage(f"{environment.name} is not suspended.", '"rigger status" shows what exists.')
    path = "" if empty else suspension.backup(environment)
    if path and not os.path.isfile(path):
        raise BadUsage(
            f"The backup that resume would put back is not here: {path}.",
            'Put it there again, or type "rigger resume --empty" for a cluster without its data.',
        )
    return path
