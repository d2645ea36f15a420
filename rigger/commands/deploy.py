"""rigger deploy"""

from __future__ import annotations

from rigger.cli.app import App, duration_of
from rigger.cli.declared import argument, option
from rigger.commands._projects import CLOCK, of_a_project, project_command, project_of
from rigger.errors import BadUsage, DifferencesFound
from rigger.operations import deploy as operation
from rigger.operations.changes import show_changes
from rigger.operations.deploy import Wanted
from rigger.operations.deployment import Waiting
from rigger.releases.moments import shown
from rigger.text import ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.deployment import Deployed
    from rigger.ui.printer import Printer


def show(printer: Printer, result: Deployed) -> None:
    release, place = result.release, result.environment
    if result.nothing:
        running = result.running
        since = (
            f", since {shown(running.ended or running.date)} by {running.requested_by.name}"
            if running
            else ""
        )
        printer.line(f"{place} has all of release {release.id[:8]} already{since}: nothing to change.")
        printer.ways(("Deploy it anyway", f"rigger deploy {place} --again"))
    elif result.deployment is None:
        _show_plan(printer, result)
    elif result.repeated:
        printer.line(f"Request {result.deployment.request} was done before: {result.deployment.status}.")
    else:
        printer.line()
        printer.line(f"Release {release.id[:8]} runs in {place}; its check said so.")
        printer.ways(("What runs where", "rigger release status"))


def _show_plan(printer: Printer, result: Deployed) -> None:
    printer.heading(
        f"{'A new release' if result.new else f'Release {result.release.id[:8]}'} to {result.environment}:"
    )
    show_changes(printer, result.changes)
    printer.lines(*(f"  {line}" for line in result.planned))
    printer.line("Only shown; nothing was done.")
    if result.busy:
        printer.warn(f"{result.busy} What will have to be done is known once that has ended.")


def show_failed(printer: Printer, result: Deployed) -> None:
    if result.deployment is None:
        _show_plan(printer, result)


@project_command(
    "deploy", acts=True, plans=True, asks=True, reports=True, streams=True, show=show, show_failed=show_failed
)
@argument("place", metavar="ENVIRONMENT")
@argument("release", required=False, metavar="[RELEASE|LABEL]")
@option("--promote", "promoted", metavar="FROM", help="Deploy the very release that runs in FROM.")
@option("--rollback", is_flag=True, help="Deploy what ran before.")
@option("--again", is_flag=True, help="Also where nothing is to change.")
@option("--exit-code", is_flag=True, help="With --plan: exit 8 when something would change.")
@option("--confirm-within", "limit", metavar="TIME", help="How long a check may take to be good: 10m.")
@option("--confirm-every", "every", metavar="TIME", help="How long between two looks: 10s.")
@option("--clock-is-right", is_flag=True, help=CLOCK)
@of_a_project
def deploy(
    app: App,
    place: str,
    release: str | None,
    promoted: str | None,
    rollback: bool,
    again: bool,
    exit_code: bool,
    limit: str | None,
    every: str | None,
    clock_is_right: bool,
    project: str | None,
    file: str | None,
) -> Deployed:
    """ENVIRONMENT is one of the project's manifest. Without a release, what the label `latest` means."""
    said = [word for word in (release, promoted, rollback and "--rollback") if word]
    if len(said) > 1:
        raise BadUsage(
            f"{' and '.join(said)} are two releases.", ways(("What it takes", "rigger deploy --help"))
        )
    usual = Waiting()
    waiting = Waiting(
        usual.limit if limit is None else duration_of("--confirm-within", limit),
        usual.every if every is None else duration_of("--confirm-every", every),
    )
    wanted = Wanted(release or "", promoted or "", rollback, again, app.call.reason, clock_is_right)
    at = project_of(app, project, file)
    result = operation.deploy(at, place, wanted, app.printer, app.consent(), waiting)
    if app.only_plans and exit_code and not result.nothing:
        raise DifferencesFound("Something would change.", f'"{wanted.command(place)}" does it.').with_result(
            result
        )
    return result
