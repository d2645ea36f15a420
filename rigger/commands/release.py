"""rigger release"""

from __future__ import annotations

from rigger.cli.app import App, group, reason_of
from rigger.cli.declared import argument, option
from rigger.commands._projects import CLOCK, of_a_project, project_command, project_of
from rigger.operations import release_create, release_look, release_repair, release_table
from rigger.operations.changes import show_changes
from rigger.releases.moments import shown
from rigger.releases.names import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.release_create import Created
    from rigger.operations.release_look import Compared, Releases, Shown, Status, Where
    from rigger.operations.release_repair import Repaired
    from rigger.operations.release_table import Made
    from rigger.releases.model import Release
    from rigger.ui.printer import Printer


@group("release")
def release() -> None:
    pass


def show_created(printer: Printer, result: Created) -> None:
    id = result.release.id
    if not result.new:
        printer.line(
            f"The newest release, {id[:8]} of {shown(result.release.date)}, has these images; none was made."
        )
    elif result.done:
        printer.line(f"Release {id} is made.")
    else:
        show_changes(printer, result.changes)
        printer.line("Only shown; nothing was done.")
    for name in result.missing:
        printer.warn(f"It has no image of {name}: it keeps what it has.")
    if result.done:
        printer.ways(("Deploy it", f"rigger deploy ENVIRONMENT {id[:8]} --reason TEXT"))


@release.add_command
@project_command("create", plans=True, asks=True, reports=True, show=show_created)
@option("--from", "label", metavar="LABEL", help="What to take the images from; default: latest.")
@option("--service", "services", metavar="S=LABEL|URI", multiple=True, help="Take this one from elsewhere.")
@option("--reason", "why", metavar="TEXT", help="What it is for; recorded.")
@option("--clock-is-right", is_flag=True, help=CLOCK)
@of_a_project
def create(
    app: App,
    label: str | None,
    services: tuple[str, ...],
    why: str | None,
    clock_is_right: bool,
    project: str | None,
    file: str | None,
) -> Created:
    """Fix services at known versions: what a label means, each service as --service says."""
    reason = reason_of(why)
    at = project_of(app, project, file, reason)
    return release_create.create(at, label, services, reason, app.printer, app.consent(), clock_is_right)


def show_list(printer: Printer, result: Releases) -> None:
    rows = [
        (one.id[:8], shown(one.date), one.requested_by.name, one.description or "-", _deployed(one))
        for one in result.releases
    ]
    headers = ("release", "made", "by", "why", "deployed to")
    printer.table(rows, headers=headers, rest="rigger release list -o json")
    if not rows:
        printer.line(f"{result.project} has no release yet.")
        printer.ways(("Make one", "rigger release create"))


def _deployed(one: Release) -> str:
    last = {each.environment.id: each.status for each in one.deployments}
    return ", ".join(f"{environment} ({status})" for environment, status in last.items()) or "-"


@release.add_command
@project_command("list", reports=True, show=show_list)
@of_a_project
def list(app: App, project: str | None, file: str | None) -> Releases:
    """List the releases, the newest first, and where each was deployed to."""
    return release_look.releases(project_of(app, project, file))


def show_one(printer: Printer, result: Shown) -> None:
    one = result.release
    printer.heading(f"Release {one.id} of {one.project.name}")
    printer.line(f"  made {shown(one.date)} by {one.requested_by.name}: {one.description or 'no word why'}")
    printer.table(sorted(one.images.items()), headers=("image", "uri"), rest="rigger release show -o json")
    for each in reversed(one.deployments):
        why = f": {each.description}" if each.description else ""
        printer.line(
            f"  {each.environment.id}: {each.status}, {shown(each.date)}, by {each.requested_by.name}{why}"
        )
        if each.problem:
            printer.line(f"    {each.problem}")


@release.add_command
@project_command("show", reports=True, show=show_one)
@argument("word", metavar="RELEASE")
@of_a_project
def show(app: App, word: str, project: str | None, file: str | None) -> Shown:
    """Show a release, by its id or the first letters of it, with its deployments."""
    return release_look.show(project_of(app, project, file), word)


def show_diff(printer: Printer, result: Compared) -> None:
    show_changes(printer, result.changes)
    if not any(change.changes for change in result.changes):
        printer.line(f"{result.old} and {result.new} have the same images.")


@release.add_command
@project_command("diff", reports=True, show=show_diff)
@argument("old", metavar="A")
@argument("new", metavar="B")
@of_a_project
def diff(app: App, old: str, new: str, project: str | None, file: str | None) -> Compared:
    """Compare two releases, labels or environments, service by service."""
    return release_look.diff(project_of(app, project, file), old, new)


def show_status(printer: Printer, result: Status) -> None:
    rows = []
    for where in result.environments:
        for one in where.services:
            by = one.by
            since = shown(by.ended or by.date)
            rows.append(
                (
                    where.place.id,
                    one.name,
                    short(one.uri),
                    by.release[:8],
                    since,
                    by.requested_by.name,
                    by.description,
                )
            )
        if not where.services:
            rows.append((where.place.id, "-", "nothing was confirmed here yet", "", "", "", ""))
    headers = ("environment", "service", "version", "release", "since", "by", "why")
    printer.table(rows, headers=headers, rest="rigger release status -o json")
    for where in result.environments:
        _show_last(printer, where)


def _show_last(printer: Printer, where: Where) -> None:
    """Say what was begun since the last deployment that a check confirmed."""
    last = where.standing.last
    if where.holder:
        printer.warn(where.holder)
    if last is None or where.standing.certain:
        return
    by = f"by {last.requested_by.name}, {shown(last.date)}"
    what = f"{where.place.id}: release {last.release[:8]} ({by}) is {where.state}."
    printer.warn(f"{what} {last.problem}".rstrip())


@release.add_command
@project_command("status", reports=True, show=show_status)
@of_a_project
def status(app: App, project: str | None, file: str | None) -> Status:
    """Show which version of which service runs where, since when, by whom and why."""
    return release_look.status(project_of(app, project, file))


def show_repaired(printer: Printer, result: Repaired) -> None:
    if not result.lost:
        printer.line(f"{result.path} is what rigger wrote; there is nothing to repair.")
        return
    printer.line(
        f"{result.path} continues with what can be proved. The file before that is kept in {result.kept}."
    )


@release.add_command
@project_command("repair", asks=True, reports=True, show=show_repaired)
@of_a_project
def repair(app: App, project: str | None, file: str | None) -> Repaired:
    """Continue with what can be proved of damaged records; the damaged file is kept."""
    return release_repair.repair(project_of(app, project, file), app.printer, app.consent())


def show_made(printer: Printer, result: Made) -> None:
    table = f"Table {result.table} in account {result.account}, region {result.region},"
    if not result.made:
        printer.line(f"{table} is there already.")
    else:
        printer.line(f"{table} {'would be' if result.planned else 'is'} made.")


@release.add_command
@project_command("make-table", plans=True, asks=True, reports=True, show=show_made)
@of_a_project
def make_table(app: App, project: str | None, file: str | None) -> Made:
    """Make the table in AWS that the releases are in, of a project with store: aws."""
    return release_table.make_table(project_of(app, project, file), app.printer, app.consent())
