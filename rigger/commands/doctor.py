"""rigger doctor"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.operations import doctor as operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.doctor import Diagnosis
    from rigger.runs.finding import Finding
    from rigger.ui.printer import Printer


def show(printer: Printer, result: Diagnosis) -> None:
    _show_findings(printer, result)
    printer.line("Ready." if result.environment else 'Ready for "rigger configure".')


def _show_findings(printer: Printer, result: Diagnosis) -> None:
    rows = [(_word(finding), finding.what, finding.detail) for finding in result.findings]
    printer.table(rows, rest="rigger doctor -o json")
    for finding in result.failures:
        printer.warn(f"{finding.what}: {finding.remedy}")


def _word(finding: Finding) -> str:
    return "FAIL" if not finding.good else "ok" if finding.tried else "?"


@command("doctor", reports=True, show=show, show_failed=_show_findings)
def doctor(app: App) -> Diagnosis:
    chosen = app.name or app.home.current_name()
    return operation.doctor(app.home, app.environment() if chosen else None)
