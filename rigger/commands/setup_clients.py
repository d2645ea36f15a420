"""rigger setup-clients"""

from rigger.cli.app import App, command
from rigger.plans import lifecycle
from rigger.runs import preflight
from rigger.runs.recovery import load_config
from rigger.runs.run import Run


@command("setup-clients", reports=True, streams=True)
def setup_clients(app: App):
    """Install the platform's clients on this machine."""
    environment = app.environment()
    with environment.locked("rigger setup-clients") as lock:
        settled = load_config(environment)
        planned = lifecycle.setup_clients(settled)
        preflight.require(environment, settled, planned)
        run = Run(environment, settled, app.printer, lock)
        app.carry_out(run, planned)
    app.printer.line(
        f"The clients are in {environment.bin_dir}, which is on PATH after: . {environment.home}/vars"
    )
