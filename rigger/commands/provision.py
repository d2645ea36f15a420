"""rigger provision"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.commands._modules import show_influenced
from rigger.errors import DifferencesFound
from rigger.operations import provision as operation
from rigger.operations.result import Result, RunResult
from rigger.ui.printer import Printer


def show(printer: Printer, result: Result) -> None:
    if isinstance(result, RunResult):
        printer.line()
        printer.line(f"{result.environment} is as configured.")
        printer.ways(("Test it", "rigger test"), ("Look at it", "rigger status"))
        show_influenced(printer, result)


@command("provision", acts=True, plans=True, asks=True, reports=True, streams=True, show=show)
@argument("modules", metavar="[MODULE...]", required=False, many=True)
@option("--exit-code", is_flag=True, help="With --plan: exit 8 when something would change.")
@option("--again", is_flag=True, help="Run every step, also those that are up to date.")
@option("--allow-version-change", is_flag=True, help="Bring another version without an upgrade.")
def provision(
    app: App,
    modules: tuple[str, ...],
    exit_code: bool,
    again: bool,
    allow_version_change: bool,
) -> Result | None:
    """Where there is one already, bring it up to date; of the named modules alone, if any are named."""
    environment = app.environment()
    if not app.only_plans:
        consent = app.consent()
        return app.once(
            lambda: operation.provision(
                environment, app.printer, consent, again, allow_version_change, modules
            )
        )
    planned = operation.plan(
        environment, app.printer, again, exit_code or not app.json, allow_version_change, modules
    )
    if not exit_code or not planned.differs:
        return planned
    problem = DifferencesFound("Something would change.", '"rigger provision" does it.')
    raise problem.with_result(planned)
