"""What stands in a provider's config.sh, read without running it."""

from __future__ import annotations

import os
import re

from rigger import text as texts
from rigger.modules.interface1 import CONFIG


def script(folder: str) -> str | None:
    """Return the path of a provider's config.sh, None where it asks nothing."""
    path = os.path.join(folder, CONFIG)
    return path if os.path.isfile(path) else None


def words(folder: str) -> set[str]:
    """Return every word of config.sh that may be a variable's name."""
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", _text(folder)))


def exported(folder: str) -> set[str]:
    """Return the names that config.sh says `export` of."""
    lines = re.findall(r"\bexport\b([^\n;]*)", _text(folder))
    return {name for line in lines for name in re.findall(r"(?<![\w$\"'{/.-])[A-Za-z_][A-Za-z0-9_]*", line)}


def saved(folder: str) -> set[str]:
    """Return the names that a provider's scripts say `rigger-save-vars` or `rigger-save-secrets` of."""
    names: set[str] = set()
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_file():
            with open(entry.path, "rb") as file:
                lines = re.findall(r"\brigger-save-(?:vars|secrets)\b([^\n;&|]*)", texts.decode(file.read()))
            names |= {
                name
                for line in lines
                for name in re.findall(r"(?<![^\s\"'])[A-Za-z_]\w*(?=[\s\"'=]|$)", line)
            }
    return names


def _text(folder: str) -> str:
    path = script(folder)
    if path is None:
        return ""
    with open(path, "rb") as file:
        return texts.decode(file.read())
