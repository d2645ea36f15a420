"""rigger ssh"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.operations import ssh as operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.ssh import HostKeyForgotten
    from rigger.ui.printer import Printer


def show(printer: Printer, result: HostKeyForgotten) -> None:
    printer.line(
        f"The host key of {result.node} is forgotten; the next connection learns the new one."
        if result.known
        else f"No host key of {result.node} is in {result.path}."
    )


@command(
    "ssh",
    asks=True,
    show=show,
    interspersed=False,
)
@option("--forget", is_flag=True, help="Forget the host key of NODE, which was made again.")
@argument("node", required=False)
@argument("words", metavar="[-- COMMAND...]", required=False, many=True, raw=True)
def ssh(app: App, forget: bool, node: str | None, words: tuple[str, ...]) -> HostKeyForgotten | int:
    if forget:
        return operation.forget_host_key(app.environment(), node, app.consent())
    words = words[1:] if words[:1] == ("--",) else words
    return operation.ssh(app.environment(), node, words, app.consent())
