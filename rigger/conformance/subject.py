"""A module as it is read to be judged: its files, scripts, programs, and where each word stands."""

from __future__ import annotations

import os
import re
from functools import cached_property

from rigger.errors import BadUsage
from rigger.modules import interface1, manifest
from rigger.modules.contract import MANIFEST
from rigger.modules.interface1 import is_provider, own_script
from rigger.modules.scripts import SHELLS, interpreter_name
from rigger.modules.search import PLATFORM_PLACES
from rigger.modules.verbs import OPTIONAL, REQUIRED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.modules.model import Module
    from rigger.questions.model import Question

# The scripts that rigger runs where they are present. `upgrade-STYLE` and tests come on top.
NOT_READ = frozenset({".git", "__pycache__", "node_modules", ".venv", ".terraform"})
MOST_FILES = 2000
MOST_BYTES = 1 << 20  # of a file that is read


def locate(path: str) -> str:
    """Return the folder of the module that a path names: itself, or where a repository keeps one.

    Raises BadUsage where there is none.
    """
    folder = os.path.abspath(os.path.expanduser(path))
    if not os.path.isdir(folder):
        raise BadUsage(
            f"There is no folder {folder}.", "Give the folder of a provider, a platform or an add-on."
        )
    for candidate in PLATFORM_PLACES:
        at = os.path.normpath(os.path.join(folder, candidate))
        if os.path.isfile(os.path.join(at, MANIFEST)):
            return at
    if is_interface1(folder):
        return folder
    looked = ", ".join(PLATFORM_PLACES)
    raise BadUsage(
        f"{folder} is no module: there is no {MANIFEST} in {looked}.",
        '"rigger provider new NAME" and "rigger platform new NAME" write one.',
    )


def is_interface1(folder: str) -> bool:
    """Return whether a folder holds provider scripts without a manifest, as interface 1 has them."""
    if os.path.isfile(os.path.join(folder, MANIFEST)):
        return False
    return is_provider(folder)


def load(folder: str) -> Module:
    """Return the module in a folder, of any interface; raises Refused."""
    if not is_interface1(folder):
        return manifest.load(folder)
    return interface1.load(folder)


class Subject:
    """A module under examination: its files, and which of them are scripts that rigger would run."""

    def __init__(self, module: Module):
        self.module = module
        self.folder = module.folder
        self.old = is_interface1(module.folder)

    @cached_property
    def files(self) -> list[str]:
        """The names of its files, links left out; of a whole repository only those where modules keep theirs."""
        whole = os.path.exists(os.path.join(self.folder, ".git"))
        own = {"tests", "bin", "lib", "libexec"} if whole else None
        return sorted(_walk(self.folder, "", own))[:MOST_FILES]

    @cached_property
    def everything(self) -> list[str]:
        """The names of its files and, where it lies in a repository of its own, of all others there."""
        if not os.path.exists(os.path.join(self.folder, ".git")):
            return self.files
        return sorted(_walk(self.folder, "", None))[:MOST_FILES]

    @cached_property
    def verbs(self) -> set[str]:
        """The names of the scripts that rigger runs, as far as this module may have them."""
        usual = (*REQUIRED.get(self.module.role, ()), *OPTIONAL.get(self.module.role, ()))
        return {*usual, *(f"upgrade-{style}" for style in self.module.upgrades)}

    @cached_property
    def scripts(self) -> list[str]:
        """The names of the verbs' scripts and tests that are there."""
        names = [*sorted(self.verbs), *(f"tests/{test}" for test in self.tests)]
        paths = [path for name in names if (path := self.own_script(name))]
        return [os.path.relpath(path, self.folder) for path in paths]

    def own_script(self, verb: str) -> str | None:
        """Return the path of a verb's script that lies in the module; rigger may bring one of its own for a verb."""
        if self.old:
            return own_script(self.folder, verb)
        paths = [os.path.join(self.folder, name) for name in (verb, f"{verb}.sh")]
        return next((path for path in paths if os.path.isfile(path)), None)

    @cached_property
    def tests(self) -> list[str]:
        suites = (*self.module.suites.values(), *self.module.components.values())
        judges = [style.judge.test for style in self.module.upgrades.values() if style.judge]
        return list(dict.fromkeys([*(test for suite in suites for test in suite.tests), *judges]))

    @cached_property
    def programs(self) -> list[tuple[str, str, str]]:
        """The programs that questions name: (question, field, program)."""
        programs = []
        for question in self.module.questions:
            for field, command in (("check", question.check), ("choices", question.choices_command)):
                if command:
                    programs.append((question.name, field, (command.split() or [""])[0]))
        return programs

    @cached_property
    def shell_scripts(self) -> list[tuple[str, str]]:
        """Every shell script and the shell that it is for: (name, shell)."""
        scripts = []
        for name in self.files:
            shell = interpreter_name(self.text(name))
            if shell in SHELLS:
                scripts.append((name, shell))
            elif not shell and (name.endswith(".sh") or self.old and name in self.scripts):
                scripts.append((name, "bash"))
        return scripts

    def text(self, name: str) -> str:
        path = os.path.join(self.folder, name)
        if not os.path.isfile(path):
            return ""
        try:
            with open(path, "rb") as file:
                return file.read(MOST_BYTES).decode("utf-8", "surrogateescape")
        except OSError:
            return ""

    def line_of(self, pattern: str, name: str = MANIFEST) -> int:
        """Return the first line of a file that matches, 0 where none does."""
        for number, line in enumerate(self.text(name).splitlines(), 1):
            if re.search(pattern, line):
                return number
        return 0

    def asked_at(self, question: Question) -> int:
        return self.line_of(rf"\bname:\s*['\"]?{re.escape(question.name)}\b")


def _walk(folder: str, under: str, own: set[str] | None) -> Iterator[str]:
    with os.scandir(os.path.join(folder, under)) as entries:
        for entry in entries:
            name = os.path.join(under, entry.name)
            if entry.name in NOT_READ or entry.is_symlink():
                continue
            if entry.is_file():
                yield name
            elif entry.is_dir() and (own is None or entry.name in own):
                yield from _walk(folder, name, None)


# What is looked at. Each yields what is wrong, or could be better.
