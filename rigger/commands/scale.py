"""rigger scale"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.commands._modules import show_influenced
from rigger.configuration.inputs import values_of_flags
from rigger.operations import module_verb
from rigger.operations.result import Result, RunResult
from rigger.ui.printer import Printer


def show(printer: Printer, result: RunResult) -> None:
    printer.line(f"{result.before['module']} is scaled.")
    show_influenced(printer, result)


@command("scale", acts=True, plans=True, asks=True, reports=True, streams=True, show=show)
@argument("module", metavar="MODULE")
@option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Set a value of it first.")
def scale(app: App, module: str, assignments: tuple[str, ...]) -> Result:
    values = values_of_flags(assignments)
    environment, consent = app.environment(), app.consent()
    return app.once(lambda: module_verb.scale(environment, module, values, app.printer, consent))
