"""Interface 1: provider scripts without a manifest, which lie in contrib/<provider> of the platform's repository.

`config.sh` asks its own questions with shell functions; the room interface1 carries them to the wizard.
"""

from __future__ import annotations

import os
import re

from rigger.errors import ModuleIncomplete
from rigger.files import PACKAGE
from rigger.modules.contract import MANIFEST, NAME
from rigger.modules.interface2 import Interface
from rigger.modules.model import Module
from rigger.modules.scripts import SHELLS, interpreter_name, script_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

INTERFACE = 1
PLACE = "contrib"
CONFIG = "config.sh"
VERBS = ("install", "create", "check", "destroy")
MAY_BE_MISSING = ("install", "check")  # a provider that needs no tools, or cannot look at its machines
FILES = frozenset({CONFIG, *VERBS, *(f"{verb}.sh" for verb in VERBS)})
LIBEXEC = os.path.join(PACKAGE, "libexec", "interface1")
ABSENT = os.path.join(LIBEXEC, "absent")  # stands in for a script that may be missing, and says that it is
SOURCE = os.path.join(LIBEXEC, "source")


def find(checkout: str) -> dict[str, str]:
    """Return the providers of a checkout that have a create and no manifest: name -> folder."""
    folder = os.path.join(checkout, PLACE)
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return {}
    return {name: os.path.join(folder, name) for name in names if is_provider(os.path.join(folder, name))}


def is_provider(folder: str) -> bool:
    """Return whether a folder is a provider of interface 1, be it one that cannot run."""
    if not re.fullmatch(NAME, os.path.basename(folder)) or os.path.lexists(os.path.join(folder, MANIFEST)):
        return False
    return any(os.path.lexists(os.path.join(folder, name)) for name in ("create", "create.sh"))


def load(folder: str) -> Module:
    """Return the provider in a folder; raises ModuleIncomplete where it lacks what makes and removes machines."""
    folder = os.path.abspath(folder)
    name = os.path.basename(folder)
    for verb in VERBS:
        if verb not in MAY_BE_MISSING and own_script(folder, verb) is None:
            raise ModuleIncomplete(
                f"{folder} cannot be used:",
                f"it has no {verb} and no {verb}.sh.",
                'A provider has install, create, check and destroy: "rigger docs interface-1" says more.',
            )
    return Module(
        name=name,
        role="provider",
        folder=folder,
        description=f"{PLACE}/{name} of the platform's repository",
        contract=Interface1(),
    )


def own_script(folder: str, verb: str) -> str | None:
    """Return the path of a verb's script, None where there is none.

    Where both spellings are there, the one without `.sh` counts, unless only the other one can run.
    """
    paths = [os.path.join(folder, name) for name in (verb, f"{verb}.sh")]
    present = [path for path in paths if os.path.lexists(path)]
    return next((path for path in present if not problem(path)), present[0] if present else None)


def script(folder: str, verb: str) -> str | None:
    """Return what is run for a verb: where it may be missing and is, a program that says so."""
    return own_script(folder, verb) or (ABSENT if verb in MAY_BE_MISSING else None)


def problem(path: str) -> str | None:
    """Return why a file can neither be executed nor sourced, None when it can."""
    if os.path.isdir(path):
        return "is a folder, not a script"
    if not os.path.isfile(path):
        return "is no file" if os.path.exists(path) else "is a link to nothing"
    try:
        with open(path, "rb") as file:
            first = file.readline(512)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if not first:
        return "is empty"
    if (
        os.access(path, os.X_OK) and os.path.basename(path) != CONFIG
    ):  # that one is sourced, whatever its mode
        return script_problem(path)
    program = interpreter_name(os.fsdecode(first))
    if program and program not in SHELLS:
        return f"is not executable, and is no shell script that could be sourced: {program} runs it"
    return "is a program that is not executable" if b"\0" in first else None


def is_sourced(path: str) -> bool:
    """Return whether a script is sourced by bash, as it has no run bit."""
    return not os.access(path, os.X_OK)


def argv(path: str) -> list[str]:
    """Return the command that runs a script: the script itself, or bash where it has to be sourced."""
    return [SOURCE, path] if is_sourced(path) else [path]


def unusable(folder: str) -> list[str]:
    """Return a sentence about each file that looks like a script and cannot run, also where another stands in."""
    paths = [os.path.join(folder, name) for name in sorted(FILES)]
    faults = {path: problem(path) for path in paths if os.path.lexists(path)}
    return [f"{path} {reason}" for path, reason in faults.items() if reason]


class Interface1(Interface):
    """The contract before there were manifests: contrib/<provider>, with or without .sh, sourced or executed."""

    number = INTERFACE
    has_own_questions = True
    may_use_kinds = False
    keeps_files_in_folder = True
    checked_after_create = True
    not_shared = FILES  # a script may lack the run bit; config.sh counts through what it gives

    def script(self, folder: str, verb: str) -> str | None:
        return script(folder, verb)

    def problem(self, path: str) -> str | None:
        return problem(path)

    def argv(self, path: str) -> list[str]:
        return argv(path)

    def place(self, role: str, name: str) -> str:
        return f"{PLACE}/{name}"

    def problems(self, folder: str, role: str, script: Callable[[str], str | None]) -> list[str]:
        return unusable(folder)
