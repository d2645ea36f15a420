"""rigger audit"""

from rigger.cli.app import App, command
from rigger.configuration.resolve import resolve
from rigger.errors import DifferencesFound, InvalidConfig, StepFailed
from rigger.plans import lifecycle
from rigger.plans.scripts import require_scripts
from rigger.runs.recovery import load_config
from rigger.runs.result import failures
from rigger.runs.run import Run


@command("audit", reports=True, streams=True)
def audit(app: App):
    environment = app.environment()
    verdict = environment.audit.verify()
    if app.json and verdict.problems:
        app.printer.report(_verdict(verdict))
    if verdict.problems:
        listed = "\n".join(f"  {problem}" for problem in verdict.problems)
        raise DifferencesFound(
            f"The audit log of {environment.name} is not what was written:\n{listed}",
            "Compare it with a bundle.",
        )
    if not app.json:
        app.printer.line(f"{verdict.count} records, unbroken. Head: {verdict.head_hash}")
    changed = _changed_by_hand(app, environment)
    if app.json:
        app.printer.report({**_verdict(verdict), "changed": changed})
    if changed:
        raise DifferencesFound(
            f"{environment.name} is not what rigger made: {' '.join(changed)}",
            'Take back what was changed by hand; "rigger logs" shows it.',
        )


def _verdict(verdict) -> dict:
    return {"records": verdict.count, "head": verdict.head_hash, "problems": list(verdict.problems)}


def _changed_by_hand(app: App, environment) -> list[str]:
    """Run the modules' own audit scripts, where there is a cluster to look at; return who found something."""
    if not environment.may_have_cluster():
        return []
    try:
        planned = lifecycle.audit(resolve(environment))
    except InvalidConfig:  # the log can be read although the configuration cannot
        return []
    if not planned.steps:  # and nothing to lock: a log is read on a read-only disk too
        return []
    with environment.locked("rigger audit") as lock:
        config = load_config(environment)
        planned = lifecycle.audit(config)
        require_scripts(planned)
        bad = failures(Run(environment, config, app.printer, lock).carry_out(planned))
    broken = [result for result in bad if result.exit_code != DifferencesFound.exit_code]
    if broken:
        raise StepFailed(" ".join(result.describe(environment) for result in broken))
    return [f"{result.step.shown} found differences." for result in bad]
