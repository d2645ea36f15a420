"""rigger check"""

import re

from rigger.cli.app import App, command, duration_of
from rigger.cli.declared import argument, option
from rigger.errors import BadUsage
from rigger.operations import check as operation
from rigger.operations.result import Result, RunResult
from rigger.text import ways
from rigger.ui.printer import Printer


def show(printer: Printer, result: RunResult) -> None:
    printer.line(f"{result.environment} is as it should be.")


@command("check", runs=True, reports=True, streams=True, show=show)
@option("--until-well", metavar="TIME", help="Check again until it is well, for so long: 90s, 10m, 1h.")
@option("--count", metavar="N", help="With --until-well: so many good checks in a row.")
@argument("time", required=False, metavar="")
def check(app: App, until_well: str | None, count: str | None, time: str | None) -> Result:
    environment = app.environment()
    if time is not None:
        until_well = _as_it_was(app, time, until_well)
    if until_well is None and count is None:
        return app.once(lambda: operation.check(environment, app.printer))
    if until_well is None:
        raise BadUsage(
            "--count says how many good checks to wait for.",
            "Add --until-well TIME, for example --until-well 10m.",
        )
    if not re.fullmatch("[1-9][0-9]*", count or "1"):
        raise BadUsage(f"--count {count!r} is no number of checks.", "For example --count 3.")
    seconds, good = duration_of("--until-well", until_well), int(count or 1)
    return app.once(lambda: operation.check_until_well(environment, seconds, good, app.printer))


def _as_it_was(app: App, time: str, until_well: str | None) -> str:
    """Return the time of `check --wait TIME`, as --until-well was called; raises BadUsage for a word that is none."""
    if not app.waits_for_lock or until_well is not None:
        raise BadUsage(f"check takes no argument {time!r}.", ways(("What it takes", "rigger check --help")))
    app.printer.warn(f"--wait {time} is --until-well {time} now: --wait waits for the environment's lock.")
    return time
