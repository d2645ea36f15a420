"""rigger destroy"""

from rigger.audit.steps import History
from rigger.cli.app import App, command
from rigger.errors import StepFailed
from rigger.plans import lifecycle
from rigger.plans.scripts import require_scripts
from rigger.runs.recovery import load_config
from rigger.runs.result import failures
from rigger.runs.run import Run


@command("destroy", asks=True, reports=True, streams=True)
def destroy(app: App):
    """Remove the cluster: the platform, the machines and their data."""
    environment = app.environment()
    with environment.locked("rigger destroy") as lock:
        settled = load_config(environment)
        planned = lifecycle.destroy(settled, History.of(environment.audit.records()), environment.nodes())
        require_scripts(planned)
        app.printer.heading(f"This will go from {environment.name}, for good:")
        for item in planned.removals:
            app.printer.line(f"  {item}")
        app.agree_by_name(f"Type {environment.name} to destroy it", environment.name)
        run = Run(environment, settled, app.printer, lock)
        try:
            bad = failures(run.carry_out(planned))
        finally:
            if app.json:
                app.printer.report({**run.as_dict(), "leftovers": _leftovers(run)})
        _require_destroyed(environment, run, bad)
        environment.audit.append("destroyed", run.id, nodes=list(planned.leaving))
        _drop_outputs(environment, settled)
    app.printer.line(
        f'{environment.name} is destroyed; its record stays. "rigger forget {environment.name}" removes that, '
        f'"rigger provision" makes it anew.'
    )


def _leftovers(run: Run) -> list[str]:
    return [item for result in run.results for item in result.leftovers]


def _require_destroyed(environment, run: Run, bad) -> None:
    """Raise StepFailed if anything is left, or if the provider could not say that nothing is."""
    left = _leftovers(run)
    provider_failed = [result for result in bad if result.step.module.role == "provider"]
    if not any(result.leftovers for result in provider_failed):  # what it names itself is all there is
        left += [f"machine {node.name} ({node.address})" for node in environment.nodes()]
    if not left and not provider_failed:
        return
    said = " ".join(result.describe(environment) for result in provider_failed)
    listed = "\n".join(f"  {item}" for item in left)
    raise StepFailed(
        f"{environment.name} is not destroyed completely. {said}".rstrip()
        + (f"\nLeft over:\n{listed}" if left else ""),
        'Type "rigger destroy" to try again; "rigger logs" shows what the scripts printed.',
    )


def _drop_outputs(environment, settled) -> None:
    """Take back what the scripts said of a cluster that is no more: a shell must not be pointed at it."""
    gone = {*settled.provider.outputs, *settled.platform.outputs}
    vars, secrets = environment.vars(), environment.secrets()
    if gone & {*vars, *secrets}:
        environment.save(
            {name: value for name, value in vars.items() if name not in gone},
            {name: value for name, value in secrets.items() if name not in gone},
        )
