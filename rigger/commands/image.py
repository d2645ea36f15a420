"""rigger image"""

from __future__ import annotations

from rigger.cli.app import App, group, reason_of
from rigger.cli.declared import argument, option
from rigger.commands._projects import of_a_project, project_command, project_of
from rigger.operations import images as operation
from rigger.operations.changes import show_changes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.images import Labels, SetImages
    from rigger.ui.printer import Printer


@group("image")
def image() -> None:
    pass


def show(printer: Printer, result: Labels) -> None:
    rows = [(label, id, uri) for label, images in result.labels.items() for id, uri in sorted(images.items())]
    printer.table(rows, headers=("label", "image", "uri"), rest="rigger image list -o json")
    if not rows:
        printer.line(f"No label of {result.project} means anything yet.")
        printer.ways(("Set one", "rigger image set latest SERVICE=URI"))


def show_set(printer: Printer, result: SetImages) -> None:
    if not result.changed:
        printer.line(f"Label {result.label} means that already; nothing was changed.")
        return
    show_changes(printer, result.changes)
    if result.done:
        printer.line(f"Label {result.label} is set.")
        printer.ways(("Deploy it", f"rigger deploy ENVIRONMENT {result.label} --reason TEXT"))
    else:
        printer.line("Only shown; nothing was done.")


@image.add_command
@project_command("list", reports=True, show=show)
@argument("label", required=False, metavar="[LABEL]")
@of_a_project
def list(app: App, label: str | None, project: str | None, file: str | None) -> Labels:
    """List what labels mean; the id of an environment is a label, too."""
    return operation.labels(project_of(app, project, file), label)


@image.add_command
@project_command("set", plans=True, asks=True, reports=True, show=show_set)
@argument("label", metavar="LABEL")
@argument("assignments", metavar="SERVICE=URI...", many=True)
@option("--reason", "why", metavar="TEXT", help="Why; recorded.")
@of_a_project
def set(
    app: App,
    label: str,
    assignments: tuple[str, ...],
    why: str | None,
    project: str | None,
    file: str | None,
) -> SetImages:
    """Let LABEL mean these images from now on; others that it has stay. SERVICE= alone takes one away."""
    return operation.set_images(
        project_of(app, project, file, reason_of(why)), label, assignments, app.printer
    )
