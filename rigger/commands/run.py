"""rigger run"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.errors import BadUsage
from rigger.operations import run as operation
from rigger.operations.result import Result, RunResult
from rigger.ui.printer import Printer


def show(printer: Printer, result: RunResult) -> None:
    printer.ways(("What it printed", result.steps[-1].show_log))


@command("run", acts=True, plans=True, asks=True, reports=True, streams=True, show=show)
@option("--trace", is_flag=True, help="Let a script of a shell print its commands: bash -x.")
@option("--shell", is_flag=True, help="Open a shell with the environment of the step, instead of running it.")
@argument("step")
def run(app: App, step: str, trace: bool, shell: bool) -> Result | int:
    """STEP is a script such as create, or platform/etcd/install where several modules have it, or tests/NAME. Values that it
    gives are kept, as always.
    """
    if shell and trace:
        raise BadUsage("--trace is about the script, which --shell does not run.", "Leave out one of them.")
    environment, consent = app.environment(), app.consent()
    if shell:
        return operation.shell(environment, step, app.printer, consent)
    return app.once(lambda: operation.run(environment, step, trace, app.printer, consent))
