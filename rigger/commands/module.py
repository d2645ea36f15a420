"""rigger module"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rigger.cli.app import App, command, group
from rigger.cli.declared import argument, option
from rigger.conformance.finding import ADVICE, FAIL, NOT_RUN, PASS, Finding
from rigger.conformance.sandbox import RehearsalOptions
from rigger.errors import BadUsage
from rigger.modules import fields
from rigger.operations import conformance as operation

if TYPE_CHECKING:
    from rigger.operations.conformance import Checked
    from rigger.ui.printer import Printer

COLOURS = {PASS: "32", FAIL: "31", ADVICE: "33", NOT_RUN: "36"}


@group("module")
def module() -> None:
    pass


def show_finding(printer: Printer, finding: Finding) -> None:
    where = f"{finding.place}: " if finding.place else ""
    level = printer.paint(f"{finding.level:<6}", COLOURS[finding.level])
    printer.line(f"  {level}  {where}{finding.text}")


def show(printer: Printer, result: Checked) -> None:
    printer.line(f"{result.module.name} conforms: {result.counts}.")
    if not result.ran:
        printer.line("Nothing of it was run; --run tries its whole life in a sandbox.")


@module.add_command
@command("check", reports=True, streams=True, show=show)
@argument("path", metavar="PATH")
@option("--run", "runs", is_flag=True, help="Also run its scripts, in a sandbox.")
@option("--provider", metavar="NAME", help="With --run: the provider to try a platform on.")
@option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="With --run: answer a question.")
def check(app: App, path: str, runs: bool, provider: str | None, assignments: tuple[str, ...]) -> Checked:
    """Check the provider or platform in the folder PATH; without --run nothing of it is run."""
    if not runs and (provider or assignments):
        raise BadUsage("--provider and --set are about scripts that run.", "Add --run.")
    shown = app.printer if app.verbose else None
    options = RehearsalOptions(_values(assignments), provider or "", shown) if runs else None
    return operation.check(path, options, app.printer, lambda finding: show_finding(app.printer, finding))


@module.add_command
@command("schema")
def schema(app: App) -> None:
    """Print a JSON Schema of rigger.yml, with which an editor checks a manifest while it is written."""
    app.printer.data(json.dumps(fields.schema(), indent=2).encode() + b"\n")


def _values(assignments: tuple[str, ...]) -> dict[str, str]:
    values = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadUsage(f"--set {text!r} is not of the form NAME=VALUE.")
        values[name] = value
    return values
