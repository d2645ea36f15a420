"""rigger test"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument
from rigger.configuration.addons import LIST, parse
from rigger.later import later
from rigger.operations import test as operation
from rigger.operations.result import RunResult
from rigger.text import short_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations import module_verb
    from rigger.operations.result import Result
    from rigger.operations.test import Tested
    from rigger.ui.printer import Printer
else:
    module_verb = later("rigger.operations.module_verb")


def show(printer: Printer, result: Tested | RunResult) -> None:
    if isinstance(result, RunResult):
        well = all(step.good for step in result.steps)
        printer.line(f"The test of {result.before['module']} {'passed' if well else 'failed'}.")
        return
    summary = result.summary
    printer.line()
    rows = [(case.name, case.outcome, f"{case.seconds:.2f} s", case.reason) for case in result.cases]
    printer.table(rows, headers=("test", "result", "time", ""), rest=f"rigger logs {summary['run']}")
    counts = ", ".join(f"{summary[word]} {word}" for word in ("passed", "failed", "skipped") if summary[word])
    printer.line(f"{result.suite}: {counts or 'nothing ran'} in {summary['seconds']:.1f} s. Report:")
    printer.line(f"  {short_home(result.folder)}/junit.xml")


@command("test", acts=True, asks=True, reports=True, streams=True, show=show, show_failed=show)
@argument("suite", required=False, many=True)
def test(app: App, suite: tuple[str, ...]) -> Result:
    """A SUITE such as smoke or full, or "component NAME", or the name of an add-on."""
    environment, consent = app.environment(), app.consent()
    if len(suite) == 1 and suite[0] in parse(environment.vars().get(LIST, "")):
        return app.once(lambda: module_verb.test(environment, suite[0], app.printer, consent))
    return app.once(lambda: operation.test(environment, suite, app.printer, consent))
