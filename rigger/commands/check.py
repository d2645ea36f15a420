"""rigger check"""

from rigger.cli.app import App, command
from rigger.errors import StepFailed
from rigger.plans import lifecycle
from rigger.plans.scripts import require_scripts
from rigger.runs.recovery import load_config
from rigger.runs.result import failures
from rigger.runs.run import Run


@command("check", reports=True, streams=True)
def check(app: App):
    """Run the check scripts: is everything as it should be?"""
    environment = app.environment()
    with environment.locked("rigger check") as lock:
        settled = load_config(environment)
        planned = lifecycle.check(settled)
        require_scripts(planned)
        run = Run(environment, settled, app.printer, lock)
        try:
            bad = failures(run.carry_out(planned))
        finally:
            if app.json:
                app.printer.report(run.as_dict())
    if bad:
        raise StepFailed(
            " ".join(result.describe(environment) for result in bad),
            'Type "rigger provision": it runs again what the failed check looked at.',
        )
    app.printer.line(f"{environment.name} is as it should be.")
