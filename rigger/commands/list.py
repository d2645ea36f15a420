"""rigger list"""

from rigger.cli.app import App, command
from rigger.operations import list as operation
from rigger.operations.list import UNKNOWN, Environments, Listed
from rigger.ui.printer import Printer


def show(printer: Printer, result: Environments) -> None:
    if not result.listed:
        printer.line('There is no environment yet. Type "rigger configure" to make one.')
        return
    headers = ("", "name", "platform", "version", "provider", "nodes")
    printer.table([_cells(environment) for environment in result.listed], headers=headers)
    for environment in result.listed:
        if environment.problem:
            printer.warn(environment.problem)


def _cells(row: Listed) -> tuple[str, ...]:
    nodes = UNKNOWN if row.nodes is None else str(row.nodes)
    version = f"{row.deployed_version} ({row.version} configured)" if row.version_change else row.version
    return ("*" if row.current else "", row.name, row.platform, version, row.provider, nodes)


@command("list", reports=True, show=show)
def list(app: App) -> Environments:
    return operation.environments(app.home)
