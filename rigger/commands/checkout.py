"""rigger checkout"""

from __future__ import annotations

from rigger import text
from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.errors import BadUsage
from rigger.operations import checkout as operation
from rigger.sources.checkout import standing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.checkout import CheckedOut
    from rigger.ui.printer import Printer

DONE = {"clone": "Cloned", "update": "Updated", "leave": "Not changed", "current": "Up to date"}


def show(printer: Printer, result: CheckedOut) -> None:
    folder, before, after = result.source.folder, result.before, result.after
    if result.source.own:
        printer.line(f"{standing(folder, result.version)}. It is your own, and is left alone.")
        return
    printer.line(f"{DONE[result.done]}: {folder} is at {result.version or 'no commit'}.")
    if after.changed:
        printer.line(f"  changed: {text.listed(after.changed)}")
    if after.commits:
        printer.line(f"  commits of your own: {text.listed(after.commits)}")
    if before.branch and before.commits and after.branch != before.branch:
        printer.line(f"  your {len(before.commits)} commits are on the branch {before.branch}, as before")


@command("checkout", asks=True, reports=True, streams=True, show=show)
@option("--clone", is_flag=True, help="Make the checkout again.")
@option("--update", is_flag=True, help="Bring it to the version that is configured.")
@option("--leave", is_flag=True, help="Change nothing.")
@option(
    "--submodules/--no-submodules",
    help="Fetch the submodules too, or do without those missing.",
)
@option("--trust", is_flag=True, help="Agree beforehand to the scripts of the repository.")
def checkout(
    app: App, clone: bool, update: bool, leave: bool, submodules: bool | None, trust: bool
) -> CheckedOut:
    way = _one_way(clone=clone, update=update, leave=leave)
    return operation.checkout(app.environment(), way, submodules, app.printer, app.consent(trust=trust))


def _one_way(**flags: bool) -> str:
    ways = [way for way, given in flags.items() if given]
    if len(ways) > 1:
        raise BadUsage(f"{' and '.join(f'--{way}' for way in ways)} exclude each other.", "Give one of them.")
    return ways[0] if ways else ""
