"""rigger provision"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.commands._modules import show_influenced
from rigger.commands._plans import show_plan
from rigger.errors import DifferencesFound
from rigger.operations import provision as operation
from rigger.operations.provision import Planned
from rigger.operations.result import Result, RunResult
from rigger.ui.printer import Printer


def show(printer: Printer, result: Result) -> None:
    if isinstance(result, Planned):
        changes = result.plan.changes
        printer.line("Only shown; nothing was done." if changes else "Nothing to do but to check.")
        show_plan(printer, result)
    elif isinstance(result, RunResult):
        printer.line()
        printer.line(f"{result.environment} is as configured.")
        printer.ways(("Test it", "rigger test"), ("Look at it", "rigger status"))
        show_influenced(printer, result)


def show_failed(printer: Printer, result: Result) -> None:
    if isinstance(result, Planned):
        show(printer, result)


@command("provision", acts=True, asks=True, reports=True, streams=True, show=show, show_failed=show_failed)
@argument("modules", metavar="[MODULE...]", required=False, many=True)
@option("--plan", "only_plan", is_flag=True, help="Show what would be done, and stop.")
@option("--approved", metavar="DIGEST", help="Do what the plan of that digest shows, or nothing: exit 8.")
@option("--exit-code", is_flag=True, help="With --plan: exit 8 when something would change.")
@option("--again", is_flag=True, help="Run every step, also those that are up to date.")
@option("--allow-version-change", is_flag=True, help="Bring another version without an upgrade.")
def provision(
    app: App,
    modules: tuple[str, ...],
    only_plan: bool,
    approved: str | None,
    exit_code: bool,
    again: bool,
    allow_version_change: bool,
) -> Result | None:
    """Where there is one already, bring it up to date; of the named modules alone, if any are named."""
    app.approve(approved, only_plan)
    environment = app.environment()
    if not only_plan:
        consent = app.consent()
        return app.once(
            lambda: operation.provision(
                environment, app.printer, consent, again, allow_version_change, modules
            )
        )
    planned = operation.plan(environment, app.printer, again, not app.json, allow_version_change, modules)
    if not exit_code or not planned.plan.changes:
        return planned
    problem = DifferencesFound("Something would change.", '"rigger provision" does it.')
    raise problem.with_result(planned)
