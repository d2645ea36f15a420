"""Scaffolding: a new provider or platform that works at once, and whose comments teach the contract."""

from __future__ import annotations

import os
import re

from rigger.errors import BadUsage, ModuleRefused, NotReady
from rigger.files import PACKAGE, temporary_folder
from rigger.modules import manifest
from rigger.modules.contract import NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.modules.model import Module

TEMPLATES = os.path.join(PACKAGE, "scaffolds")
NAME_RULE = "lower-case letters, digits, - and _, starting with a letter or digit, at most 63"
NOT_COPIED = {"__pycache__"}


def write(role: str, name: str, folder: str, tool: str = "") -> Module:
    """Make a module in a folder that is empty or does not exist yet; it appears there in one piece.

    `tool`, terraform, ansible or container, does its work; without one its scripts do.
    Raises BadUsage for a bad name or a folder that holds something, NotReady where it cannot be written.
    """
    _require_name(name)
    folder = os.path.abspath(os.path.expanduser(folder))
    _require_room(folder)
    try:
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        with temporary_folder(".rigger-new-", os.path.dirname(folder)) as aside:
            made = os.path.join(aside, "module")
            _fill(os.path.join(TEMPLATES, f"{role}-{tool}" if tool else role), made, _words(name))
            _require_valid(made, name)
            os.rename(made, folder)  # takes the place of an empty folder
    except OSError as problem:
        raise NotReady(
            f"{folder} cannot be written: {problem.strerror}.", "Choose another folder with --path FOLDER."
        ) from None
    return manifest.load(folder)


def _require_name(name: str) -> None:
    if not re.fullmatch(NAME, name):
        raise BadUsage(f"{name!r} is not a name: {NAME_RULE}.")


def _require_room(folder: str) -> None:
    if os.path.lexists(folder) and not (os.path.isdir(folder) and not os.listdir(folder)):
        raise BadUsage(
            f"{folder} exists and is not an empty folder.", "Nothing was written. Choose another with --path."
        )


def _require_valid(folder: str, name: str) -> None:
    """Raise BadUsage for a name that makes variables which rigger keeps for itself."""
    try:
        manifest.load(folder)
    except ModuleRefused as problem:
        raise BadUsage(f"{name!r} cannot be its name: {problem.reason}.", "Choose another one.") from None


def _words(name: str) -> dict[str, str]:
    """Return what stands for what in the templates; a variable's name cannot begin with a digit."""
    prefix = re.sub(r"[^A-Z0-9]", "_", name.upper())
    return {"SCAFFOLD_NAME": name, "SCAFFOLD_PREFIX": f"P{prefix}" if prefix[0].isdigit() else prefix}


def _fill(template: str, folder: str, words: dict[str, str]) -> None:
    """Copy a template with its run bits, other people's rights as the umask has it."""
    os.mkdir(folder)
    for entry in sorted(os.scandir(template), key=lambda entry: entry.name):
        target = os.path.join(folder, entry.name)
        if entry.name in NOT_COPIED:
            continue
        if entry.is_dir():
            _fill(entry.path, target, words)
            continue
        with open(entry.path, encoding="utf-8") as file:
            text = file.read()
        for word, meaning in words.items():
            text = text.replace(word, meaning)
        with open(target, "x", encoding="utf-8") as file:
            file.write(text)
        if os.access(entry.path, os.X_OK):
            os.chmod(target, os.stat(target).st_mode | (os.stat(target).st_mode & 0o444) >> 2)


def in_repository(folder: str) -> str:
    """Return the top of the git repository that a folder lies in, nothing where it lies in none."""
    at = os.path.abspath(folder)
    while True:
        if os.path.exists(os.path.join(at, ".git")):
            return at
        if at == os.path.dirname(at):
            return ""
        at = os.path.dirname(at)
