"""rigger audit"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.errors import BadUsage
from rigger.operations import audit as operation
from rigger.operations import reflect as reflecting
from rigger.operations.audit import Repaired
from rigger.operations.reflect import Reflected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.audit import Audited
    from rigger.operations.result import Result
    from rigger.ui.printer import Printer


def show(printer: Printer, result: Audited | Repaired | Reflected) -> None:
    if isinstance(result, Reflected):
        taken = ", ".join(result.changed)
        printer.line(f"Taken into the configuration: {taken}." if taken else "Nothing was changed by hand.")
        if taken:
            printer.ways(("What the next provision would do", "rigger provision --plan"))
    if isinstance(result, Repaired):
        printer.line(f"The audit log of {result.environment} is repaired.")
        if result.damaged:
            printer.line(f"The old file is kept in {result.damaged}.")
        if result.lost:
            printer.line('"rigger check" shows what exists; what was lost may have said that more was made.')


@command("audit", runs=True, asks=True, reports=True, streams=True, show=show)
@argument("module", required=False, metavar="[MODULE]")
@option("--head", metavar="COUNT:HASH", help="A head noted elsewhere, which the log must contain.")
@option("--bundle", metavar="FILE", help="A bundle whose head the log must contain.")
@option("--reflect", is_flag=True, help="Take what was changed by hand into the configuration.")
@option("--repair", is_flag=True, help="Repair a broken log: keep what can be proved.")
def audit(
    app: App, module: str | None, head: str | None, bundle: str | None, reflect: bool, repair: bool
) -> Result:
    """Of the named module alone, if one is named."""
    environment = app.environment()
    if sum((head is not None, bundle is not None, repair, reflect)) > 1:
        raise BadUsage("--head, --bundle, --reflect and --repair go one at a time.", "Choose one.")
    if reflect:
        return reflecting.reflect(environment, app.printer, app.consent(), module or "")
    if repair:
        return operation.repair(environment, app.printer, app.consent())
    noted = operation.read_head(head) if head is not None else None
    if bundle is not None:
        noted = operation.head_in(app.home, environment, bundle)
    return app.once(lambda: operation.audit(environment, app.printer, noted, module or ""))
