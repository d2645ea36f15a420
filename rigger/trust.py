"""Trust: scripts that came from elsewhere run only after a person has agreed to their very files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from rigger import envfile
from rigger.config import Config
from rigger.environment import Environment
from rigger.errors import BadUsage
from rigger.modules import Module

TRUSTED = "trusted"  # in an environment: the modules that a person has agreed to, one SHA-256 a line
NOT_SCRIPTS = frozenset({"__pycache__", ".git"})


def digest(folder: str) -> str:
    """Return a SHA-256 over all files of a module, their names and run bits, in hex."""
    total = hashlib.sha256()
    for path in _files(folder):
        with open(path, "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()
        runs = "x" if os.access(path, os.X_OK) else "-"
        total.update(f"{content} {runs} ".encode() + os.fsencode(os.path.relpath(path, folder)) + b"\n")
    return total.hexdigest()


def _files(folder: str) -> Iterator[str]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name in NOT_SCRIPTS:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path


def is_trusted(environment: Environment, module: Module) -> bool:
    """Return whether a module may run: one that came in a bundle only after a person agreed to it."""
    if not lies_in(module.folder, os.path.dirname(environment.path)):
        return True
    return digest(module.folder) in agreed(environment)


def lies_in(path: str, folder: str) -> bool:
    """Return whether a path leads into a folder, as it is written or with its links followed."""
    written = os.path.abspath(path).startswith(os.path.abspath(folder) + os.sep)
    return written or os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep)


def agreed(environment: Environment) -> set[str]:
    """Return the digests of the modules that a person has agreed to."""
    try:
        with open(environment.file(TRUSTED), errors="replace") as file:
            return set(file.read().split())
    except OSError:
        return set()


def agree(folder: str, digests: list[str]) -> None:
    """Record in an environment's folder the modules that a person has agreed to."""
    lines = "".join(f"{line}\n" for line in dict.fromkeys(digests))
    envfile.write_bytes(os.path.join(folder, TRUSTED), lines.encode())


def require_trusted(environment: Environment, config: Config) -> None:
    """Raise BadUsage before scripts run that came in a bundle and that nobody has agreed to."""
    for module in (config.provider, config.platform):
        if not is_trusted(environment, module):
            raise BadUsage(
                f"The scripts of {module.name} came in a bundle, and are not the ones that somebody agreed to.",
                "Load the bundle again: rigger configure --file BUNDLE",
            )
