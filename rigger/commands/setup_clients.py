"""rigger setup-clients"""

from rigger import plan, preflight
from rigger.cli import App, command
from rigger.run import Run, settle


@command("setup-clients", reports=True, streams=True)
def setup_clients(app: App):
    """Install the platform's clients on this machine."""
    environment = app.environment()
    with environment.locked("rigger setup-clients") as lock:
        settled = settle(environment)
        planned = plan.setup_clients(settled)
        preflight.require(environment, settled, planned)
        run = Run(environment, settled, app.printer, lock)
        app.carry_out(run, planned)
    app.printer.line(
        f"The clients are in {environment.bin_dir}, which is on PATH after: . {environment.home}/vars"
    )
