"""rigger restore"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument
from rigger.errors import BadUsage
from rigger.operations import backup as operation
from rigger.operations import module_verb
from rigger.operations.result import Result, RunResult
from rigger.ui.printer import Printer


def show(printer: Printer, result: RunResult) -> None:
    name = result.before.get("module", result.environment)
    printer.line(f"{name} has the data of {result.before['file']}.")


@command("restore", acts=True, plans=True, asks=True, reports=True, streams=True, show=show)
@argument("words", many=True, metavar="[MODULE] FILE")
def restore(app: App, words: tuple[str, ...]) -> Result:
    """With the name of an add-on, that one's data."""
    if len(words) > 2:
        raise BadUsage(f"{' '.join(words)} is more than a module and a file.", "Name one file.")
    *module, path = words
    environment, consent = app.environment(), app.consent()
    if module:
        return app.once(lambda: module_verb.restore(environment, module[0], path, app.printer, consent))
    return app.once(lambda: operation.restore(environment, path, app.printer, consent))
