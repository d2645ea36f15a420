"""rigger check"""

import re

from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.errors import BadUsage
from rigger.operations import check as operation
from rigger.operations.result import RunResult
from rigger.ui.printer import Printer

UNITS = {"s": 1, "m": 60, "h": 3600}


def show(printer: Printer, result: RunResult) -> None:
    printer.line(f"{result.environment} is as it should be.")


@command("check", reports=True, streams=True, show=show)
@option("--wait", metavar="TIME", help="Check again until it is well, for so long: 90s, 10m, 1h.")
@option("--count", metavar="N", help="With --wait: so many good checks in a row.")
def check(app: App, wait: str | None, count: str | None) -> RunResult:
    if wait is None and count is None:
        return operation.check(app.environment(), app.printer)
    if wait is None:
        raise BadUsage(
            "--count says how many good checks to wait for.", "Add --wait TIME, for example --wait 10m."
        )
    if not re.fullmatch("[1-9][0-9]*", count or "1"):
        raise BadUsage(f"--count {count!r} is no number of checks.", "For example --count 3.")
    return operation.check_until_well(app.environment(), _seconds(wait), int(count or 1), app.printer)


def _seconds(text: str) -> float:
    found = re.fullmatch("([0-9]+)([smh])", text)
    if not found:
        raise BadUsage(f"--wait {text!r} is no time.", "For example 90s, 10m or 1h.")
    return float(found[1]) * UNITS[found[2]]
