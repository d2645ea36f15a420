"""rigger status"""

from __future__ import annotations

import time

from rigger.audit.runs import seconds
from rigger.audit.steps import finds_differences
from rigger.audit.upgrades import WAYS_ON, unfinished
from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.errors import BadUsage
from rigger.later import later
from rigger.operations import status as operation
from rigger.operations.status import Status
from rigger.ui.printer import Printer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from rigger.operations import status_at as looking_back
    from rigger.operations.status_at import PastStatus
else:
    looking_back = later("rigger.operations.status_at")

PAUSE = 1.0  # seconds between two looks


def show(printer: Printer, result: Status | PastStatus) -> None:
    if isinstance(result, Status):
        _show_now(printer, result)
    else:
        _show_past(printer, result)


def _show_past(printer: Printer, past: PastStatus) -> None:
    """Show what was, without the commands that would change it: they are about what is."""
    status, at = past.status, past.at
    printer.heading(_heading(status))
    ended = f" (when run {at.number} ended)" if at.number else ""
    printer.line(f"  as of record {len(at.records)}, {_local(at.time)}{ended}")
    printer.line(f"  {_state(status)[0]}")
    _show_parts(printer, status)
    if status.upgrade:
        printer.line(f"  {unfinished(status.name, status.upgrade.start, status.upgrade.to)}")
    for item in status.leftovers:
        printer.line(f"  may have been left over: {item}")
    if past.lost:
        printer.warn("Records before that moment are lost; more may have been there.")


def _heading(status: Status) -> str:
    version = status.deployed_version or status.version
    return f"{status.name}: {status.platform} {version} on {status.provider}"


def _show_parts(printer: Printer, status: Status) -> None:
    """Show nodes, add-ons and the last run."""
    if status.nodes:
        printer.table([(node.name, node.address) for node in status.nodes])
    if status.addons:
        printer.table(
            [(one.name, one.version or "-", one.problem or one.status, one.program) for one in status.addons]
        )
    for line in _last_run(status):
        printer.line(f"  {line}")


def _show_now(printer: Printer, status: Status) -> None:
    printer.heading(_heading(status))
    state, next_steps = _state(status)
    printer.line(f"  {state}")
    printer.ways(*next_steps)
    _show_parts(printer, status)
    if status.upgrade:
        printer.warn(unfinished(status.name, status.upgrade.start, status.upgrade.to))
        if status.reached:
            printer.line(f"  {status.reached}.")
        printer.ways(*WAYS_ON)
    elif status.version_change:
        change = status.version_change
        printer.warn(f"{change.sentence(status.name)}.")
        printer.ways(("Bring it there", change.command), ("Keep what runs", change.way_back))
    if status.pending:
        printer.warn(f"Configured but not provisioned: {', '.join(status.pending)}")
    for item in status.leftovers:
        printer.warn(f"May be left over: {item}")
    if status.problem:
        printer.warn(status.problem)
    if status.running:
        printer.warn(status.running)


@command("status", reports=True, show=show)
@option("--watch", is_flag=True, help="Show it again whenever it changes, until Ctrl-C.")
@option("--at", metavar="TIME|RUN", help="As it was then, by the audit log: a time, or when a run had ended.")
def status(app: App, watch: bool, at: str | None) -> Status | PastStatus:
    if at is not None:
        if watch:
            raise BadUsage("--watch is about what is, and --at about what was.", "Leave one out.")
        return looking_back.status_at(app.environment(), at)
    if watch and app.json:
        raise BadUsage("--watch is for people, and -o json is one report.", "Leave one out.")
    environment, shown = app.environment(), None
    while watch:
        result = operation.status(environment)
        if shown != (told := result.as_dict()):
            app.printer.anew()
            show(app.printer, result)
            shown = told
        time.sleep(PAUSE)
    return operation.status(environment)


GO_ON, RENEW = ("Resume", "rigger provision"), ("Make it again", "rigger provision")
REMOVE = ("Remove what there is", "rigger destroy")
START = ("Start it again", "rigger resume")


def _state(status: Status) -> tuple[str, list[tuple[str, str]]]:
    """Return the state in words, and what to type next."""
    last_command = status.last_run["command"] if status.last_run else None
    if status.state == "unfinished" and last_command == "destroy":
        return "a destroy did not finish", [("Resume", "rigger destroy"), RENEW]
    if status.upgrade and status.state in ("unwell", "unfinished"):  # its own ways on are said below
        return "between two versions", []
    again = ("Resume", f"rigger restore {_quoted(status.restore)}")
    failed = f"the last check failed ({', '.join(status.failed_checks)})"
    states: dict[str, tuple[str, list[tuple[str, str]]]] = {
        "configured": ("configured, nothing made yet", [("Next", "rigger provision")]),
        "created": ("machines made, platform not deployed", [GO_ON]),
        "deployed": (f"deployed since {_local(status.since)}" if status.since else "deployed", []),
        "running": (f"{last_command} is under way", [("Watch it", "rigger logs --follow")]),
        "half-restored": ("a restore did not finish, its data may not be whole", [again]),
        "unwell": (failed, [("Look again", "rigger check"), ("Repair it", "rigger provision")]),
        "unfinished": ("a run did not finish", [GO_ON, REMOVE]),
        "suspended": ("suspended", [START, REMOVE]),
        "half-suspended": ("a suspend did not finish", [("Resume", "rigger suspend"), START]),
        "destroyed": ("destroyed", [RENEW, ("Remove its record", f"rigger forget {status.name}")]),
    }
    return states[status.state]


def _quoted(file: str) -> str:
    if not file:
        return ""
    from shlex import quote

    return quote(file)


def _last_run(status: Status) -> Iterator[str]:
    run = status.last_run
    if run is not None:
        steps = ", ".join(f"{step['step']}{_ended(step)}" for step in run["steps"])
        ended = f"{run['outcome']} ({steps})" if steps else run["outcome"]
        yield f"last run: {run['command']} at {_local(run['time'])}: {ended}"
        yield f"  rigger logs {run['number']}"


def _ended(step: Mapping[str, Any]) -> str:
    if step.get("skipped"):
        return " skipped"
    if finds_differences(step["step"], step["exit_code"]):
        return " found differences"
    return " failed" if step["exit_code"] else ""


def _local(moment: str) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds(moment)))
