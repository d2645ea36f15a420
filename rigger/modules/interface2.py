"""How a module with a manifest keeps the contract: where its scripts lie, whether they can run, and how they are run.

Interface 1 overrides what was different before there were manifests; a module holds the one that it speaks.
"""

from __future__ import annotations

import os

from rigger.files import PACKAGE
from rigger.modules.contract import INTERFACE
from rigger.modules.scripts import script_problem
from rigger.modules.verbs import REQUIRED, is_verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Interface:
    """The contract between rigger and a module's scripts, in its version 2."""

    number = INTERFACE
    has_own_questions = False  # whether a script of it, config.sh, asks and nobody knows beforehand what
    may_use_kinds = True  # whether rigger runs .tf files, a playbook or an image in the place of scripts
    keeps_files_in_folder = False  # whether its scripts may write into their own folder, and find that again
    checked_after_create = False  # whether its create leaves it to check to say that the machines are there
    not_shared: frozenset[str] = frozenset()  # files that count for their own verb alone, run bit or not

    def script(self, folder: str, verb: str) -> str | None:
        """Return the path of a module's own script for a verb, `verb` or `verb.sh`, None where there is none."""
        for name in (verb, f"{verb}.sh"):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                return path
        return None

    def problem(self, path: str) -> str | None:
        """Return why a file cannot be run as a script, None when it can."""
        return script_problem(path)

    def argv(self, path: str) -> list[str]:
        """Return the command that runs a script."""
        return [path]

    def shown(self, role: str, name: str, folder: str, path: str) -> str:
        """Return a script's path as people write it: providers/local/create."""
        if not path.startswith(folder + os.sep):
            return path.removeprefix(PACKAGE + os.sep)
        return f"{self.place(role, name)}/{os.path.relpath(path, folder)}"

    def place(self, role: str, name: str) -> str:
        """Return a module's folder as people write it: providers/local."""
        return f"{role}s/{name}"

    def problems(self, folder: str, role: str, script: Callable[[str], str | None]) -> list[str]:
        """Return a sentence about each file that looks like a script but cannot run, and each that is missing."""
        problems = []
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if is_verb(name.removesuffix(".sh"), role) and (reason := script_problem(path)):
                problems.append(f"{path} {reason}")
        for verb in REQUIRED.get(role, ()):
            if script(verb) is None and not os.path.lexists(os.path.join(folder, verb)):
                problems.append(f"it has no script {verb}")
        return problems
