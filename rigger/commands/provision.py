"""rigger provision"""

import click

from rigger import config, plan, preflight
from rigger.cli import App, command
from rigger.errors import DifferencesFound, InvalidConfig
from rigger.plan import History, Plan
from rigger.run import Run, settle


@command("provision", asks=True, reports=True, streams=True)
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be done, and stop.")
@click.option("--exit-code", is_flag=True, help="With --plan: exit 8 when something would change.")
@click.option("--again", is_flag=True, help="Run every step, also those that are up to date.")
def provision(app: App, only_plan: bool, exit_code: bool, again: bool):
    """Create the cluster that the current configuration describes, or bring it up to date."""
    environment = app.environment()
    if only_plan:
        return _show_only(app, _plan(environment, config.resolve(environment), again), exit_code)
    with environment.locked("rigger provision") as lock:
        settled = settle(environment)
        _require_no_upgrade(environment)
        planned = _plan(environment, settled, again)
        _show(app, environment.name, settled, planned)
        preflight.require(environment, settled, planned)
        if planned.removals:
            app.agree("Go on, although what is named above will be lost?")
        run = Run(environment, settled, app.printer, lock)
        try:
            run.carry_out(planned)
        finally:
            _report(app, planned, run)
    app.printer.line()
    app.printer.line(f"{environment.name} is as configured. Next: rigger test, rigger status")


def _require_no_upgrade(environment) -> None:
    """Raise InvalidConfig between two versions: a provision would take for granted that the old one runs."""
    from rigger import upgrades

    begun = upgrades.pending(environment.audit.records())
    if begun is not None:
        raise InvalidConfig(upgrades.unfinished(environment.name, begun.start, begun.to), upgrades.WAYS_ON)


def _plan(environment, settled: config.Config, again: bool) -> Plan:
    history = History.of(environment.audit.records())
    return plan.provision(settled, history, environment.nodes(), environment.key(), again)


def _show(app: App, name: str, settled: config.Config, planned: Plan) -> None:
    version = settled.values.get("VERSION", "")
    app.printer.heading(f"{name}: {settled.platform.name} {version} on {settled.provider.name}")
    app.printer.plan(planned)


def _show_only(app: App, planned: Plan, exit_code: bool) -> None:
    if app.json:
        app.printer.report(planned.as_dict())
    else:
        app.printer.plan(planned)
        app.printer.line(
            "Only shown; nothing was done." if planned.changes else "Nothing to do but to check."
        )
    if exit_code and planned.changes:
        raise DifferencesFound("Something would change.", '"rigger provision" does it.')


def _report(app: App, planned: Plan, run: Run) -> None:
    if app.json:
        app.printer.report({"plan": planned.as_dict(), **run.as_dict()})
