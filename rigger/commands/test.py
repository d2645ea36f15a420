"""rigger test"""

from rigger.cli.app import App, command
from rigger.cli.declared import argument
from rigger.operations import test as operation
from rigger.operations.test import Tested
from rigger.text import short_home
from rigger.ui.printer import Printer
from rigger.ui.wizard import Wizard


def show(printer: Printer, result: Tested) -> None:
    summary = result.summary
    printer.line()
    rows = [(case.name, case.outcome, f"{case.seconds:.2f} s", case.reason) for case in result.cases]
    printer.table(rows, headers=("test", "result", "time", ""), rest=f"rigger logs {summary['run']}")
    counts = ", ".join(f"{summary[word]} {word}" for word in ("passed", "failed", "skipped") if summary[word])
    printer.line(f"{result.suite}: {counts or 'nothing ran'} in {summary['seconds']:.1f} s. Report:")
    printer.line(f"  {short_home(result.folder)}/junit.xml")


@command("test", acts=True, asks=True, reports=True, streams=True, show=show, show_failed=show)
@argument("suite", required=False, many=True)
def test(app: App, suite: tuple[str, ...]) -> Tested:
    """A SUITE such as smoke or full, or "component NAME"."""
    return operation.test(app.environment(), suite, app.printer, app.consent(Wizard))
