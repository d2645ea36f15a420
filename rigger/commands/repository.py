"""rigger repository"""

from __future__ import annotations

from rigger.cli.app import App, command, group
from rigger.cli.declared import argument, option
from rigger.operations import repository as operation
from rigger.text import short_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.repository import Repositories
    from rigger.ui.printer import Printer


@group("repository")
def repository() -> None:
    pass


def show(printer: Printer, result: Repositories) -> None:
    rows = [
        (one.name, str(one.modules), one.updated[:16].replace("T", " "), one.kind, short_home(one.url))
        for one in (listed.repository for listed in result.repositories)
    ]
    headers = ("name", "modules", "updated (UTC)", "kind", "from")
    printer.table(rows, headers=headers, rest="rigger repository list -o json")
    if not rows:
        printer.line("There is no repository yet.")
        printer.ways(("Add one", "rigger repository add URL"))
    for listed in result.repositories:
        printer.lines(*(f"{listed.repository.name}: {change}" for change in listed.changes))
        for problem in listed.problems:
            printer.warn(f"{listed.repository.name}: {problem}")


def show_added(printer: Printer, result: Repositories) -> None:
    show(printer, result)
    printer.ways(("What can be had", "rigger module search"))


def show_removed(printer: Printer, result: Repositories) -> None:
    for one in result.repositories:
        printer.line(f"{one.repository.name} is forgotten; modules that were added from it stay.")


@repository.add_command
@command("add", asks=True, reports=True, show=show_added)
@argument("place", metavar="URL|FOLDER")
@option("--as", "name", metavar="NAME", help="Its name here, if not its own.")
def add(app: App, place: str, name: str | None) -> Repositories:
    """Add a folder, an index (a file, or a URL that ends in .yaml) or a git repository that has modules."""
    return operation.add(app.home, place, name or "")


@repository.add_command
@command("remove", asks=True, reports=True, show=show_removed)
@argument("name", metavar="NAME")
def remove(app: App, name: str) -> Repositories:
    """Forget a repository; what was added from it stays."""
    return operation.remove(app.home, name)


@repository.add_command
@command("list", reports=True, show=show)
def list(app: App) -> Repositories:
    """List the repositories, in the order in which they are looked into, and when each was updated."""
    return operation.listed_repositories(app.home)


@repository.add_command
@command("update", asks=True, reports=True, show=show, show_failed=show)
@argument("name", metavar="[NAME]", required=False)
def update(app: App, name: str | None) -> Repositories:
    """Read the index of NAME again, or of all; where that fails, the last one is used."""
    return operation.update(app.home, name or "")
