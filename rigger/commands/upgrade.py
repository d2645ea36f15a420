"""rigger upgrade"""

from __future__ import annotations

from rigger.cli.app import App, command
from rigger.cli.declared import argument, option
from rigger.commands import _rehearsal
from rigger.commands._modules import show_influenced
from rigger.errors import BadUsage
from rigger.later import later
from rigger.operations import module_verb
from rigger.operations import upgrade as operation
from rigger.operations.result import Result, RunResult
from rigger.operations.upgrade_request import UpgradeOptions
from rigger.plans.upgrade import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations import rehearsal_copy
    from rigger.operations import rehearse as rehearsing
    from rigger.ui.printer import Printer
else:
    rehearsal_copy = later("rigger.operations.rehearsal_copy")
    rehearsing = later("rigger.operations.rehearse")


def show(printer: Printer, result: Result) -> None:
    if isinstance(result, RunResult):
        _show_upgraded(printer, result)
    else:
        show_rehearsed(printer, result)


def show_rehearsed(printer: Printer, result: Result) -> None:
    """Show the verdict of a rehearsal, also of one that is not go; what an upgrade did until it failed was shown."""
    if not isinstance(result, RunResult) and isinstance(result, rehearsing.RehearsalResult):
        _rehearsal.show(printer, result)


def _show_upgraded(printer: Printer, result: RunResult) -> None:
    printer.line()
    name = result.before.get("module", result.environment)
    printer.line(f"{name} runs {result.before['to']}.")
    show_influenced(printer, result)
    for name, value in report(result.steps).items():
        printer.line(f"  {name.replace('_', ' ')}: {value}")


@command(
    "upgrade",
    acts=True,
    plans=True,
    asks=True,
    reports=True,
    streams=True,
    show=show,
    show_failed=show_rehearsed,
)
@argument("module", required=False, metavar="[MODULE]")
@option("--version", metavar="VERSION", help="The version to reach.")
@option("--to", metavar="VERSION", hidden=True)  # what --version was called
@option("--upgrade-style", "style", metavar="STYLE", help="How, for example graceful or inplace.")
@option("--allow-downgrade", is_flag=True, help="Go to an older version anyway.")
@option("--continue", "go_on", is_flag=True, help="Resume the upgrade that did not finish.")
@option("--resume", is_flag=True, hidden=True)  # what --continue was called: machines are resumed
@option("--rollback", is_flag=True, help="Go back from the upgrade that did not finish.")
@option(
    "--rehearse", is_flag=True, help="Rehearse it on a copy, with what goes wrong in life; change nothing."
)
@option(
    "--on",
    "provider",
    metavar="PROVIDER",
    help="With --rehearse: who makes the copy's machines; default: local.",
)
@option(
    "--nodes",
    metavar="N",
    help="With --rehearse: how many nodes the copy has; default: as many as there are.",
)
@option(
    "--fresh-backup",
    is_flag=True,
    help="With --rehearse: fill the copy with a new backup, not with the newest.",
)
@option(
    "--only", multiple=True, metavar="NAME", help="With --rehearse: this rehearsal alone; can be repeated."
)
@option("--sign-key", metavar="KEY", help="With --rehearse: sign the verdict with this private key.")
@option(
    "--require-rehearsal",
    metavar="[=AGE]",
    alone="168h",
    help="Refuse unless a rehearsal says go, not older than AGE: --require-rehearsal=24h.",
)
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
    rehearse: bool,
    provider: str | None,
    nodes: str | None,
    fresh_backup: bool,
    only: tuple[str, ...],
    sign_key: str | None,
    require_rehearsal: str | None,
    trust: bool,
) -> Result:
    """With the name of an add-on, that one, to the version that its folder has; of a repository, to VERSION or its latest."""
    if version is not None and to is not None and version != to:
        raise BadUsage(f"--version {version} and --to {to} are two versions.", "Name one, with --version.")
    version = to if version is None else version
    if module:
        target, agreed = app.environment(), app.consent(trust=trust)
        return app.once(lambda: module_verb.upgrade(target, module, version or "", app.printer, agreed))
    options = UpgradeOptions(version, style, allow_downgrade, go_on or resume, rollback, require_rehearsal)
    if rehearse and (app.only_plans or app.call.approved):
        raise BadUsage(
            "A rehearsal changes nothing: there is no plan to show or approve.", "Leave out --rehearse."
        )
    if rehearse:
        copy = rehearsal_copy.CopyOptions(provider or "local", _count(nodes))
        asked = rehearsing.RehearseOptions(options, copy, fresh_backup, only, sign_key or "")
        return rehearsing.rehearse(app.environment(), asked, app.printer, app.consent(trust=trust))
    if provider or nodes or fresh_backup or only or sign_key:
        raise BadUsage(
            "--on, --nodes, --fresh-backup, --only and --sign-key are about a rehearsal.", "Add --rehearse."
        )
    environment, consent = app.environment(), app.consent(trust=trust)
    return app.once(lambda: operation.upgrade(environment, options, app.printer, consent))


def _count(nodes: str | None) -> int | None:
    if nodes is not None and not nodes.isdecimal():
        raise BadUsage(f"--nodes {nodes!r} is no number.")
    return None if nodes is None else int(nodes)
