"""What the verbs provider and platform have in common: list, new, info."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rigger.errors import RiggerError
from rigger.modules import scaffold, search
from rigger.modules.scaffold import in_repository
from rigger.modules.search import PLATFORM_PLACES, Found

CHECKOUT = "checkout"  # the platform's repository, in an environment


def show(app, role: str) -> None:
    """List every module of a role, also hidden and broken ones, as a table or as JSON."""
    repository = checkout(app)
    found = search.found(role, app.home.path, repository)
    if app.json:
        app.printer.report([_row(module) for module in found])
        return
    headers = ("name", "interface", "from", "folder", "description")
    app.printer.table([_cells(module, repository) for module in found], headers=headers)
    for module in found:
        if module.problem:
            app.printer.warn(f"{role} {module.name} cannot be used: {module.problem}")


def checkout(app) -> str | None:
    """Return the folder of the platform's repository in the environment, None where there is none.

    The current environment may be broken: modules can be listed all the same.
    """
    name = app.name or app.home.current_name()
    if not name:
        return None
    environment = app.home.get(name)
    try:
        folder = environment.vars().get("CHECKOUT") or environment.file(CHECKOUT)
    except RiggerError:
        folder = environment.file(CHECKOUT)
    return folder if os.path.isdir(folder) else None


def _row(module: Found) -> Mapping[str, object]:
    return {
        "name": module.name,
        "interface": module.interface or None,
        "from": module.place,
        "folder": module.folder,
        "description": module.description,
        "shadowed": module.shadowed,
        "problem": module.problem,
    }


def _cells(module: Found, checkout: str | None) -> tuple[str, ...]:
    note = "cannot be used" if module.problem else module.description
    note = f"hidden by the one above; {note}" if module.shadowed else note
    interface = str(module.interface or "-")
    return (module.name, interface, module.place, _short(module.folder, checkout), note.rstrip("; "))


def _short(folder: str, checkout: str | None) -> str:
    """Return a folder below the checkout without it, and one below the home with a tilde."""
    home = os.path.expanduser("~")
    for start, instead in ((checkout, ""), (home, f"~{os.sep}")):
        if start and folder.startswith(start + os.sep):
            return instead + folder.removeprefix(start + os.sep)
    return folder


def make(app, role: str, name: str, path: str | None) -> None:
    """Write a new module, and say what to type next."""
    module = scaffold.write(role, name, path or name)
    shown = _shown(module.folder)
    app.printer.line(f"{shown} is a {role} that works: {', '.join(sorted(os.listdir(module.folder)))}")
    app.printer.line("Its comments say what each script is for. Change them, and see what is still right:")
    app.printer.line(f"  rigger module check --run {shown}")
    app.printer.line("Use it:")
    app.printer.line(f"  rigger configure --{role} {shown} --name {module.name}")
    if role == "platform" and (top := in_repository(module.folder)):
        _say_repository(app, module.name, module.folder, top)


def _say_repository(app, name: str, folder: str, top: str) -> None:
    place = os.path.relpath(folder, top)
    places = ", ".join("the root" if known == "." else known for known in PLATFORM_PLACES)
    if place in PLATFORM_PLACES:
        app.printer.line("Once it is committed, from anywhere:")
        app.printer.line(f"  rigger configure --repository URL --name {name}")
    else:
        app.printer.line(
            f"In a git repository, rigger.yml is looked for in {places}; write it there with --path."
        )


def _shown(folder: str) -> str:
    """Return a folder as a person would type it: a module's path has a slash."""
    from shlex import quote

    relative = os.path.relpath(folder)
    return quote(folder if relative.startswith(os.pardir) else os.path.join(os.curdir, relative))
