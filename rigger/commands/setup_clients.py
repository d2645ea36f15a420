"""rigger setup-clients"""

from rigger.cli.app import App, command
from rigger.operations import setup_clients as operation
from rigger.operations.result import Result
from rigger.text import short_home


@command("setup-clients", runs=True, plans=True, asks=True, reports=True, streams=True)
def setup_clients(app: App) -> Result:
    environment = app.environment()
    result = app.once(lambda: operation.setup_clients(environment, app.printer))
    app.printer.lines("The clients are in:", f"  {short_home(environment.bin_dir)}")
    app.printer.ways(("That is on PATH after", f". {environment.home}/vars"))
    return result
