"""rigger verify"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.errors import InvalidConfig
from rigger.operations import verify as operation
from rigger.operations.verify import Proved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.environment import Environment
    from rigger.ui.printer import Printer


def show(printer: Printer, result: Proved) -> None:
    for signer in result.signers:
        printer.line(f"{result.file}: signed by {signer}.")
    if not result.signers:
        printer.warn(f"{result.file} is not signed: anybody may have made it.")
    if result.others:
        printer.line(f"Other signatures, not checked: {result.others}.")
    if result.fits:
        printer.line(f"It says of {result.run} what the audit log of {result.fits} says.")
    else:
        printer.line(f"What it says ({result.type}) is not about a run, and is not compared with anything.")


@command("verify", reports=True, show=show, show_failed=show)
@argument("path", metavar="FILE")
@option(
    "--key",
    "keys",
    metavar="KEY",
    multiple=True,
    help="A public key that must have signed it; may be repeated.",
)
@option(
    "--bundle", metavar="FILE", help="The bundle whose audit log it must fit; without it, the environment."
)
def verify(app: App, path: str, keys: tuple[str, ...], bundle: str | None) -> Proved:
    """The signatures must be right, and all that it says must be what the audit log says, word for word. A bundle itself is
    checked with "rigger bundle verify".
    """
    return operation.verify(app.home, path, keys, bundle or "", None if bundle else _environment(app))


def _environment(app: App) -> Environment | None:
    """Return the environment that is meant; None where none is named, and there is none."""
    try:
        return app.environment()
    except InvalidConfig:
        if app.name:
            raise
        return None
