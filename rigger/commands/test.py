"""rigger test"""

import click

from rigger.audit.steps import History
from rigger.cli.app import App, command
from rigger.errors import BadUsage, InvalidConfig, TestsFailed
from rigger.plans import lifecycle
from rigger.plans.lifecycle import with_clients
from rigger.runs import preflight
from rigger.runs import tests as suites
from rigger.runs.recovery import load_config
from rigger.runs.run import Run
from rigger.runs.tests import is_test, write_report
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import Wizard


@command("test", reports=True, streams=True)
@click.argument("suite", nargs=-1)
def test(app: App, suite: tuple[str, ...]):
    """Run the platform's tests against the cluster: a SUITE such as smoke or full, or "component NAME"."""
    environment = app.environment()
    with environment.locked(f"rigger test {' '.join(suite)}".strip()) as lock:
        settled = load_config(environment)
        chosen = suites.find(settled.platform, suite or _ask(settled.platform))
        _require_deployed(environment, settled)
        planned = lifecycle.test(settled, chosen.name, chosen.tests)
        planned = with_clients(settled, environment.bin_dir, planned)
        preflight.require(environment, settled, planned)
        run = Run(environment, settled, app.printer, lock)
        try:
            run.carry_out(planned)
        finally:
            found = _report(app, environment, settled, chosen, run)
    if found["failed"]:
        failed = ", ".join(test["name"] for test in found["tests"] if test["outcome"] == "failed")
        raise TestsFailed(
            f"{found['failed']} of {len(found['tests'])} tests failed: {failed}.",
            f'"rigger logs {run.id}" shows why.',
        )


def _ask(platform) -> list[str]:
    choices = suites.offered(platform)
    if not choices:
        raise BadUsage(f"{platform.name} offers no tests.")
    if not has_terminal():
        listed = ", ".join(choice.value for choice in choices)
        raise BadUsage("Which tests? Nobody can be asked.", f"{platform.name} offers: {listed}.")
    return Wizard().choose("Which tests should run?", choices, choices[0].value).split(" ", 1)


def _require_deployed(environment, settled) -> None:
    history = History.of(environment.audit.records())
    if not history.ever_started(f"platform/{settled.platform.name}/deploy"):
        raise InvalidConfig(
            f"There is no cluster to test in {environment.name} yet.", 'Type "rigger provision" first.'
        )


def _report(app: App, environment, settled, chosen, run: Run) -> dict:
    """Write and show the results of the tests that ran, also of a test run that was interrupted."""
    cases = [suites.case(result) for result in run.results if is_test(result)]
    found = suites.summary(chosen.name, run.id, settled.values.get("VERSION", ""), cases)
    if not run.id:
        return found
    folder = environment.file("tests", run.id)
    write_report(folder, found)
    if app.json:
        app.printer.report({**found, "report": folder})
        return found
    app.printer.line()
    rows = [(case.name, case.outcome, f"{case.seconds:.2f} s", case.reason) for case in cases]
    app.printer.table(rows, headers=("test", "result", "time", ""))
    counts = ", ".join(f"{found[word]} {word}" for word in ("passed", "failed", "skipped") if found[word])
    app.printer.line(
        f"{chosen.name}: {counts or 'nothing ran'} in {found['seconds']:.1f} s. Report: {folder}/junit.xml"
    )
    return found
