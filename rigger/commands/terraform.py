"""rigger terraform"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument
from rigger.errors import BadUsage
from rigger.operations import terraform as operation
from rigger.operations.terraform import Migrated, Unlocked
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.ui.printer import Printer


def show(printer: Printer, result: Unlocked | Migrated) -> None:
    if isinstance(result, Migrated):
        printer.line(result.outcome)
    else:
        printer.line("The lock is released." if result.holder else "Nobody holds the state's lock.")


@command(
    "terraform",
    asks=True,
    show=show,
    interspersed=False,
    foreign_options=True,
)
@argument("words", required=False, many=True, raw=True, metavar="ARGUMENT...")
def terraform(app: App, words: tuple[str, ...]) -> Unlocked | Migrated | int:
    """ARGUMENT... is a command of Terraform's own, such as "state list"; or "unlock", which releases a lock that nobody
    holds any more; or "migrate", which moves the state to the backend that is configured."""
    if not words:
        raise BadUsage("Which command of Terraform?", 'For example "rigger terraform state list".')
    environment = app.environment()
    if words[0] == "unlock":
        consent = app.consent()
        agreed = consent.yes or bool({"-y", "--yes"} & set(words[1:]))
        return operation.unlock(environment, app.printer, replace(consent, yes=agreed))
    if words[0] == "migrate":
        return operation.migrate(environment, app.printer)
    app.report_as_json(True)  # standard output is Terraform's own
    return operation.terraform(environment, words, app.printer)
