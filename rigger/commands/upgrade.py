"""rigger upgrade"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.commands._modules import show_influenced
from rigger.errors import BadUsage
from rigger.operations import module_verb
from rigger.operations import upgrade as operation
from rigger.operations.result import Result, RunResult
from rigger.operations.upgrade_request import UpgradeOptions
from rigger.plans.upgrade import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.ui.printer import Printer


def show(printer: Printer, result: Result) -> None:
    if not isinstance(result, RunResult):
        return
    printer.line()
    name = result.before.get("module", result.environment)
    printer.line(f"{name} runs {result.before['to']}.")
    show_influenced(printer, result)
    for name, value in report(result.steps).items():
        printer.line(f"  {name.replace('_', ' ')}: {value}")


@command("upgrade", acts=True, plans=True, asks=True, reports=True, streams=True, show=show)
@argument("module", required=False, metavar="[MODULE]")
@option("--version", metavar="VERSION", help="The version to reach.")
@option("--to", metavar="VERSION", hidden=True)  # what --version was called
@option("--upgrade-style", "style", metavar="STYLE", help="How, for example graceful or inplace.")
@option("--allow-downgrade", is_flag=True, help="Go to an older version anyway.")
@option("--continue", "go_on", is_flag=True, help="Resume the upgrade that did not finish.")
@option("--resume", is_flag=True, hidden=True)  # what --continue was called: machines are resumed
@option("--rollback", is_flag=True, help="Go back from the upgrade that did not finish.")
@option("--trust", is_flag=True, help="Agree beforehand to the repository's scripts of that version.")
def upgrade(
    app: App,
    module: str | None,
    version: str | None,
    to: str | None,
    style: str | None,
    allow_downgrade: bool,
    go_on: bool,
    resume: bool,
    rollback: bool,
    trust: bool,
) -> Result:
    """With the name of an add-on, that one, to the version that its folder has; of a repository, to VERSION or its latest."""
    if version is not None and to is not None and version != to:
        raise BadUsage(f"--version {version} and --to {to} are two versions.", "Name one, with --version.")
    version = to if version is None else version
    if module:
        target, agreed = app.environment(), app.consent(trust=trust)
        return app.once(lambda: module_verb.upgrade(target, module, version or "", app.printer, agreed))
    options = UpgradeOptions(version, style, allow_downgrade, go_on or resume, rollback)
    environment, consent = app.environment(), app.consent(trust=trust)
    return app.once(lambda: operation.upgrade(environment, options, app.printer, consent))
