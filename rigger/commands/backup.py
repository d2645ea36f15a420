"""rigger backup"""

import shlex

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.operations import backup as operation
from rigger.operations import module_verb
from rigger.operations.result import Result, RunResult
from rigger.text import short_home
from rigger.ui.printer import Printer


def show(printer: Printer, result: RunResult) -> None:
    path = result.before["file"]
    for name, value in result.steps[-1].figures.items():
        printer.line(f"  {name.replace('_', ' ')}: {value}")
    printer.lines("The data is in:", f"  {short_home(path)}")
    module = f"{result.before['module']} " if "module" in result.before else ""
    printer.ways(("Put it back", f"rigger restore {module}{shlex.quote(path)}"))


@command("backup", acts=True, plans=True, asks=True, reports=True, streams=True, show=show)
@argument("module", required=False, metavar="[MODULE]")
@option("-f", "--file", "path", metavar="FILE", help="Where to write it; default: the environment's folder.")
def backup(app: App, module: str | None, path: str | None) -> Result:
    """With the name of an add-on, that one's data."""
    environment, consent = app.environment(), app.consent()
    if module:
        return app.once(lambda: module_verb.backup(environment, module, path or "", app.printer, consent))
    return app.once(lambda: operation.backup(environment, path or "", app.printer, consent))
