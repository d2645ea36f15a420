"""rigger list"""

import os

from rigger.cli.app import App, command
from rigger.operations import list as operation
from rigger.operations.list import UNKNOWN, Environments, Listed
from rigger.ui.printer import Printer


def show(printer: Printer, result: Environments) -> None:
    if not result.listed:
        printer.line("There is no environment yet.")
        printer.ways(("Make one", "rigger configure"))
        return
    headers = ("", "name", "state", "nodes", "platform", "version", "provider", "last run")
    rows = [_cells(environment) for environment in result.listed]
    printer.table(rows, headers=headers, rest="rigger list -o json")
    for environment in result.listed:
        if environment.problem:
            printer.warn(environment.problem)


def _cells(row: Listed) -> tuple[str, ...]:
    nodes = UNKNOWN if row.nodes is None else str(row.nodes)
    version = f"{row.deployed_version} ({row.version} configured)" if row.version_change else row.version
    run = row.last_run
    last = f"{run['number']} {run['command']} {run['outcome']}" if run else "-"
    provider = os.path.basename(row.provider)  # it may be a folder
    mark = "*" if row.current else ""
    return (mark, row.name, row.state, nodes, row.platform, version, provider, last)


@command("list", reports=True, show=show)
def list(app: App) -> Environments:
    return operation.environments(app.home)
