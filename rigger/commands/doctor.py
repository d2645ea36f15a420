"""rigger doctor"""

from rigger.audit.steps import History
from rigger.cli.app import App, command
from rigger.configuration import resolve
from rigger.errors import NotReady
from rigger.plans import provision
from rigger.runs import preflight


@command("doctor", reports=True)
def doctor(app: App):
    environment = settled = planned = None
    if app.name or app.home.current_name():
        environment = app.environment()
        settled = resolve.resolve(environment)
        history = History.of(environment.audit.records())
        planned = provision.provision(settled, history, environment.nodes(), environment.key())
    findings = preflight.examine(environment, settled, planned, app.home.path)
    bad = [finding for finding in findings if not finding.good]
    if app.json:
        app.printer.report([vars(finding) for finding in findings])
    else:
        app.printer.table([("ok" if f.good else "FAIL", f.what, f.detail) for f in findings])
        for finding in bad:
            app.printer.warn(f"{finding.what}: {finding.remedy}")
    if bad:
        names = ", ".join(finding.what for finding in bad)
        raise NotReady(f"Not ready: {names}.", "The remedies are above.")
    app.printer.line("Ready." if environment else 'Ready for "rigger configure".')
