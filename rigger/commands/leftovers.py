"""rigger leftovers"""

from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.operations import leftovers as operation
from rigger.operations.leftovers import Leftovers
from rigger.ui.printer import Printer


def show(printer: Printer, result: Leftovers) -> None:
    if result.gone:
        printer.line("That is on record as gone.")
    if result.nothing_left:
        printer.line(f"By your word nothing is left of {result.name}.")
        printer.ways(("Remove its record", f"rigger forget {result.name}"))
    elif not result.items:
        printer.line(f"Nothing is on record as left over of {result.name}.")
    for item in result.items:
        printer.line(item)


@command("leftovers", asks=True, reports=True, show=show)
@option("--gone", "names", metavar="NAME", multiple=True, help="Say that this is gone; may be repeated.")
@option("--all-gone", is_flag=True, help="Say that all of it is gone.")
def leftovers(app: App, names: tuple[str, ...], all_gone: bool) -> Leftovers:
    """Before you say that something is gone, look for it where the provider makes it.

    After a destroy that did not succeed, --all-gone says that nothing is left of the cluster.
    """
    if not names and not all_gone:
        return operation.leftovers(app.environment())
    return operation.say_gone(app.environment(), names, all_gone, app.printer, app.consent())
