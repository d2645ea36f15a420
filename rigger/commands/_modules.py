"""How the verbs provider and platform tell people what their operations came to."""

from __future__ import annotations

import os
from shlex import quote

from rigger.modules.search import PLATFORM_PLACES, FoundModule
from rigger.modules.verbs import a_role
from rigger.text import short_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.modules import Modules, NewModule
    from rigger.operations.result import RunResult
    from rigger.ui.printer import Printer


def show(printer: Printer, result: Modules) -> None:
    headers = ("name", "interface", "from", "folder", "description")
    printer.table(
        [_cells(module, result.checkout) for module in result.modules],
        headers=headers,
        rest=f"rigger {result.role} list -o json",
    )
    for module in result.modules:
        if module.problem:
            printer.warn(f"{result.role} {module.name} cannot be used: {module.problem}")


def _cells(module: FoundModule, checkout: str | None) -> tuple[str, ...]:
    note = "cannot be used" if module.problem else module.description
    note = f"hidden by the one above; {note}" if module.shadowed else note
    interface = str(module.interface or "-")
    return (module.name, interface, module.place, _short(module.folder, checkout), note.rstrip("; "))


def _short(folder: str, checkout: str | None) -> str:
    """Return a folder below the checkout without it, and one below the home with a tilde."""
    if checkout and folder.startswith(checkout + os.sep):
        return folder.removeprefix(checkout + os.sep)
    return short_home(folder)


def show_influenced(printer: Printer, result: RunResult) -> None:
    """Say which add-ons would be another after a run, and the command that applies each."""
    for one in result.after.get("influenced", ()):
        said = f": {one['plan']}" if one["plan"] else "."
        printer.line(f"{one['module']} would change{said}")
        printer.ways(("Change it", f"rigger provision {one['module']}"))


def show_new(printer: Printer, result: NewModule) -> None:
    """Say what was written, and what to type next."""
    name, role, folder = result.module.name, result.module.role, result.module.folder
    shown = _shown(folder)
    printer.line(f"{shown} is {a_role(role)} that works: {', '.join(sorted(os.listdir(folder)))}")
    printer.line("Its comments say what each script is for. Change them, and see what is still right:")
    printer.line(f"  rigger module check --run {shown}")
    printer.line("Use it:")
    use = f"module add {shown}" if role == "addon" else f"configure --{role} {shown} --name {name}"
    printer.line(f"  rigger {use}")
    if role == "platform" and result.repository:
        _show_repository(printer, name, os.path.relpath(folder, result.repository))


def _show_repository(printer: Printer, name: str, folder: str) -> None:
    places = ", ".join("the root" if known == "." else known for known in PLATFORM_PLACES)
    if folder in PLATFORM_PLACES:
        printer.line("Once it is committed, from anywhere:")
        printer.line(f"  rigger configure --repository URL --name {name}")
    else:
        printer.line(
            f"In a git repository, rigger.yml is looked for in {places}; write it there with --path."
        )


def _shown(folder: str) -> str:
    """Return a folder as a person would type it: a module's path has a slash."""
    relative = os.path.relpath(folder)
    return quote(folder if relative.startswith(os.pardir) else os.path.join(os.curdir, relative))
