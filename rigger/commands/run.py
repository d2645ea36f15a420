"""rigger run"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.operations import run as operation
from rigger.operations.result import RunResult
from rigger.ui.printer import Printer
from rigger.ui.wizard import Wizard


def show(printer: Printer, result: RunResult) -> None:
    printer.ways(("What it printed", result.steps[-1].show_log))


@command("run", acts=True, asks=True, reports=True, streams=True, show=show)
@option("--trace", is_flag=True, help="Let a script of a shell print its commands: bash -x.")
@argument("step")
def run(app: App, step: str, trace: bool) -> RunResult:
    """STEP is a script such as create, or platform/etcd/install where several modules have it, or tests/NAME. Values that it
    gives are kept, as always.
    """
    return operation.run(app.environment(), step, trace, app.printer, app.consent(Wizard))
