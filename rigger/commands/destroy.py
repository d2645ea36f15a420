"""rigger destroy"""

from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.commands._plans import show_plan
from rigger.operations import destroy as operation
from rigger.operations.provision import Planned
from rigger.operations.result import Result, RunResult
from rigger.ui.printer import Printer


def show(printer: Printer, result: RunResult | Planned) -> None:
    if isinstance(result, Planned):
        printer.plan(result.plan)
        show_plan(printer, result)
        return
    name = result.environment
    printer.line(f"{name} is destroyed; its record stays.")
    printer.ways(("Remove that", f"rigger forget {name}"), ("Make it again", "rigger provision"))


@command("destroy", acts=True, asks=True, reports=True, streams=True, show=show)
@option("--plan", "only_plan", is_flag=True, help="Show what would be done, and stop.")
@option("--approved", metavar="DIGEST", help="Do what the plan of that digest shows, or nothing: exit 8.")
def destroy(app: App, only_plan: bool, approved: str | None) -> Result:
    app.approve(approved, only_plan)
    environment, consent = app.environment(), app.consent()
    if only_plan:
        return operation.plan(environment)
    return app.once(lambda: operation.destroy(environment, app.printer, consent))
