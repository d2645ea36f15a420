"""rigger provision"""

import click

from rigger.audit.steps import History
from rigger.audit.suspension import require_running
from rigger.audit.upgrades import require_none
from rigger.cli.app import App, command
from rigger.configuration import resolve
from rigger.configuration.config import Config
from rigger.configuration.identity import require_recorded
from rigger.errors import DifferencesFound, Locked
from rigger.plans import provision as plans_provision
from rigger.plans.model import Plan
from rigger.runs import preflight
from rigger.runs.programs import leaving
from rigger.runs.recovery import load_config
from rigger.runs.run import Run
from rigger.sources import checkout as source_checkout
from rigger.sources.checkout import check_checkout


@command("provision", asks=True, reports=True, streams=True)
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be done, and stop.")
@click.option("--exit-code", is_flag=True, help="With --plan: exit 8 when something would change.")
@click.option("--again", is_flag=True, help="Run every step, also those that are up to date.")
def provision(app: App, only_plan: bool, exit_code: bool, again: bool):
    """Create the cluster that the current configuration describes, or bring it up to date."""
    environment = app.environment()
    if only_plan:
        settled = resolve.resolve(environment)
        require_recorded(environment, settled)
        return _show_only(app, environment, settled, _plan(environment, settled, again), exit_code)
    with environment.locked("rigger provision") as lock:
        source_checkout.restore(environment, app.printer.line, app.printer.progress)
        settled = load_config(environment)
        require_none(environment.name, environment.audit.records())
        require_running(environment.name, environment.audit.records())
        there = check_checkout(environment, settled.values)
        planned = _plan(environment, settled, again)
        _show(app, environment.name, settled, planned, there)
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


def _plan(environment, settled: Config, again: bool) -> Plan:
    history = History.of(environment.audit.records())
    nodes = environment.nodes()
    return plans_provision.provision(
        settled, history, nodes, environment.key(), again, lambda: leaving(environment, settled, nodes)
    )


def _show(app: App, name: str, settled: Config, planned: Plan, there: str) -> None:
    version = settled.values.get("VERSION", "")
    app.printer.heading(f"{name}: {settled.platform.name} {version} on {settled.provider.name}")
    if there:
        app.printer.line(f"  {there}")
    app.printer.plan(planned)


def _show_only(app: App, environment, settled: Config, planned: Plan, exit_code: bool) -> None:
    if app.json:
        app.printer.report(planned.as_dict())
    else:
        app.printer.plan(planned)
        _show_machines(app, environment, settled, planned)
        app.printer.line(
            "Only shown; nothing was done." if planned.changes else "Nothing to do but to check."
        )
    if exit_code and planned.changes:
        raise DifferencesFound("Something would change.", '"rigger provision" does it.')


def _show_machines(app: App, environment, settled: Config, planned: Plan) -> None:
    """Have the provider's own plan script, if it has one, show what its create would change."""
    shown = plans_provision.machines(settled, planned)
    if not shown.steps:
        return
    try:
        with environment.locked("rigger provision --plan") as lock:
            result = Run(environment, load_config(environment), app.printer, lock).carry_out(shown)[0]
    except Locked as problem:
        app.printer.warn(f"What create would change cannot be looked at now: {problem.message}")
        return
    if app.printer.live:
        with open(result.log, "rb") as file:
            app.printer.pass_on(file.read())
    if result.exit_code not in (0, DifferencesFound.exit_code):
        app.printer.warn(f"What would change could not be shown: {result.describe(environment)}")


def _report(app: App, planned: Plan, run: Run) -> None:
    if app.json:
        app.printer.report({"plan": planned.as_dict(), **run.as_dict()})
