"""rigger suspend"""

import os
from dataclasses import replace

from rigger.audit import suspension
from rigger.audit.steps import History
from rigger.audit.suspension import DONE, STARTED
from rigger.audit.upgrades import require_none
from rigger.cli.app import App, command
from rigger.environments.environment import Environment
from rigger.errors import BadUsage
from rigger.modules.model import Module
from rigger.plans import lifecycle
from rigger.plans.lifecycle import with_clients
from rigger.plans.model import Plan
from rigger.runs import preflight
from rigger.runs.recovery import load_config
from rigger.runs.run import Run


@command("suspend", asks=True, reports=True, streams=True)
def suspend(app: App):
    """End the machines or turn them off, and keep everything else."""
    environment = app.environment()
    with environment.locked("rigger suspend") as lock:
        settled = load_config(environment)
        _require_something(environment)
        records = environment.audit.records()
        require_none(environment.name, records)
        emptied = suspension.emptied(records)
        planned = lifecycle.suspend(settled, History.of(records), environment.nodes(), emptied)
        planned = with_clients(settled, environment.bin_dir, planned)
        preflight.require(environment, settled, planned)
        backup = _backup(environment, planned)
        path = environment.file(backup) if backup else ""
        _show(app, environment, settled.provider, planned, path)
        app.agree("Suspend it?")
        run = Run(environment, settled, app.printer, lock)
        environment.audit.append(STARTED, "", backup=backup)
        planned = replace(planned, environ={"RIGGER_BACKUP_FILE": path} if backup else {})
        app.carry_out(run, planned, backup=path)
        environment.audit.append(DONE, run.id, backup=backup)
    app.printer.line(f'{environment.name} is suspended. "rigger resume" starts it again.')


def _require_something(environment: Environment) -> None:
    if not environment.may_have_cluster():
        raise BadUsage(f"{environment.name} has no machines to suspend.", '"rigger provision" makes them.')


def _backup(environment: Environment, planned: Plan) -> str:
    """Return the path of the backup inside the environment: a new one, or that of a suspend that goes on."""
    if any(step.verb == "backup" for step in planned.steps):
        return os.path.relpath(environment.new_backup(), environment.path)
    begun = suspension.last(environment.audit.records())
    return begun["backup"] if begun else ""


def _show(app: App, environment: Environment, provider: Module, planned: Plan, backup: str) -> None:
    if provider.suspend == "stops":
        app.printer.heading(f"The machines of {environment.name} will be turned off; what is on them stays.")
        return
    app.printer.heading(f"This will go from {environment.name} until it is resumed:")
    for item in planned.removals or ("its machines and all data on them",):
        app.printer.line(f"  {item}")
    app.printer.line(
        f"The platform's data is kept in {backup}." if backup else "No backup of the data is made."
    )
