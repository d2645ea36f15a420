"""rigger graph"""

from rigger import text as texts
from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.errors import BadUsage
from rigger.operations import graph as operation
from rigger.operations.graph import FORMS, Graph
from rigger.operations.upgrade_request import UpgradeOptions
from rigger.ui.printer import Printer


def show(printer: Printer, result: Graph) -> None:
    printer.data(texts.encode(result.text) + b"\n")


@command("graph", show=show)
@option("-o", "--output", "form", choices=FORMS, default="dot", help="Graphviz DOT, Mermaid, or SVG.")
@option("--file", "path", metavar="BUNDLE", help="Draw a bundle instead.")
@option("--to", metavar="VERSION", help="Draw the plan of an upgrade to that version instead.")
@option("--upgrade-style", "style", metavar="STYLE", help="How that upgrade would go.")
def graph(app: App, form: str, path: str | None, to: str | None, style: str | None) -> Graph:
    """Modules, their steps (what ran, what failed, what waits and why) and nodes. SVG needs Graphviz."""
    if path and to:
        raise BadUsage("--file and --to exclude each other: each says what is drawn.", "Give one of them.")
    if style and not to:
        raise BadUsage("--upgrade-style says how an upgrade goes.", "Add --to VERSION.")
    if path:
        return operation.drawn(operation.of_bundle(path), form)
    if to:
        options = UpgradeOptions(to=to, style=style)
        return operation.drawn(operation.of_upgrade(app.environment(), options, app.consent()), form)
    return operation.drawn(operation.of_environment(app.environment()), form)
