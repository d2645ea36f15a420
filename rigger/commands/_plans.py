"""What every plan says beside its steps."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.provision import Planned
    from rigger.ui.printer import Printer


def show_plan(printer: Printer, planned: Planned) -> None:
    """Say who works there now, and how exactly this plan is had."""
    if planned.running:
        printer.warn(f"{planned.running} What will have to be done is known once that has ended.")
    elif planned.plan.changes:
        printer.line("Exactly this, or nothing:")
        printer.line(f"  rigger {planned.plan.command} --approved {planned.digest}")
