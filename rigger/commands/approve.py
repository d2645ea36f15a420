"""rigger approve"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.operations import approve as operation
from rigger.operations.audit import read_head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.attest import Attested
    from rigger.ui.printer import Printer


def show(printer: Printer, result: Attested) -> None:
    printer.line(f"{result.shown} has {result.signatures} signatures now.")
    check = f"rigger verify {result.shown} --key FIRST_KEY --key YOUR_KEY"
    printer.ways(("Check both", check))


@command("approve", asks=True, reports=True, show=show)
@argument("head", metavar="HEAD")
@option("--sign", "key", metavar="KEY", help="Your private key, in OpenSSH's form or PEM.")
def approve(app: App, head: str, key: str | None) -> Attested:
    """HEAD is COUNT:HASH, as "rigger attest" printed it. Nothing runs by it: it says that a second person stands for what
    was done. To agree to a plan before it runs, use --approved DIGEST.
    """
    return operation.approve(app.environment(), read_head(head), key or "")
