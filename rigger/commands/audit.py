"""rigger audit"""

from rigger.cli import App, command
from rigger.errors import DifferencesFound


@command("audit", reports=True)
def audit(app: App):
    """Verify the audit log."""
    environment = app.environment()
    verdict = environment.audit.verify()
    if app.json:
        app.printer.report(
            {"records": verdict.count, "head": verdict.head_hash, "problems": list(verdict.problems)}
        )
    elif not verdict.problems:
        app.printer.line(f"{verdict.count} records, unbroken. Head: {verdict.head_hash}")
    if verdict.problems:
        listed = "\n".join(f"  {problem}" for problem in verdict.problems)
        raise DifferencesFound(
            f"The audit log of {environment.name} is not what was written:\n{listed}",
            "Compare it with a bundle.",
        )
