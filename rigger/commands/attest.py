"""rigger attest"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.operations import attest as operation
from rigger.operations.attest import Attested

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.ui.printer import Printer


def show(printer: Printer, result: Attested) -> None:
    printer.line(f"What run {result.number} did is in {result.shown}.")
    printer.lines("It is about this head of the audit log:", f"  {result.head}")
    if result.signatures:
        check = f"rigger verify {result.shown} --key PUBLIC_KEY"
        printer.ways(
            ("Check it", check),
            ("Sign it too, as another person", f"rigger approve {result.head} --sign KEY"),
        )
    else:
        printer.ways(("Sign it", f"rigger attest {result.number} --sign KEY"))


@command("attest", asks=True, reports=True, show=show)
@argument("run", required=False)
@option("--sign", "key", metavar="KEY", help="Sign with this private key, in OpenSSH's form or PEM.")
@option("-f", "--file", "path", metavar="FILE", help="Write this file, and not one in the environment.")
def attest(app: App, run: str | None, key: str | None, path: str | None) -> Attested:
    """The statement is an in-toto one, with SLSA's provenance: what ran, with which values, of which scripts, by whom, and
    where the audit log ended. RUN is as in "rigger logs". Secrets are in it as digests under a key that is not.
    """
    return operation.attest(app.environment(), run, key or "", path or "")
