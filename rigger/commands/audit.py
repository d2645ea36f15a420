"""rigger audit"""

from rigger.cli.app import App, command
from rigger.operations import audit as operation
from rigger.operations.audit import Audited


@command("audit", reports=True, streams=True)
def audit(app: App) -> Audited:
    return operation.audit(app.environment(), app.printer)
