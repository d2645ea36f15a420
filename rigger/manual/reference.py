"""The pages that are made of the code, as reStructuredText: a page asks for one by `.. rigger:: NAME`."""

from __future__ import annotations

import json
import os
import re

from rigger.errors import EXIT_CODES
from rigger.manual.commands import commands
from rigger.modules.contract import PERSONS_VARIABLES, SCRIPT_VARIABLES
from rigger.modules.fields import FIELDS, RECORDS
from rigger.modules.manifest import load
from rigger.modules.search import packaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rigger.modules.shapes import Entry
    from rigger.questions.model import Question


def expand(source: str, folder: str) -> str:
    """Return a page with what it asks for put in its place: parts, and recorded screens as their text."""
    source = re.sub(r"^\.\. rigger:: (\S+)$", lambda found: part(found[1], folder), source, flags=re.M)
    return re.sub(r"^\.\. screen:: (\S+)$", lambda found: screen(found[1], folder), source, flags=re.M)


def screen(name: str, folder: str) -> str:
    """Return a recorded screen as a block of text."""
    with open(os.path.join(folder, "pictures", f"{name}.ans"), encoding="utf-8") as file:
        lines = re.sub(r"\x1b\[[0-9;]*m", "", file.read()).splitlines()
    return "::\n\n" + "".join(f"    {line}\n" for line in lines)


def part(name: str, folder: str) -> str:
    """Return one part; raises KeyError for any other name. `folder` has the sources of the pages."""
    if name.startswith("questions-"):
        return questions(name.removeprefix("questions-"))
    makers: dict[str, Callable[[], str]] = {
        "commands": lambda: commands(folder),
        "manifest": manifest,
        "variables": variables,
        "exit-codes": exit_codes,
        "json": lambda: json_shapes(folder),
    }
    return makers[name]()


def _definitions(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{term}\n    {words[:1].upper()}{words[1:]}\n" for term, words in pairs)


def manifest() -> str:
    """Return every field of rigger.yml: those of both roles first."""
    titles = {"": "Every module", "provider": "Providers", "platform": "Platforms", "addon": "Add-ons"}
    parts = [
        _titled(title, _fields(one for one in FIELDS if one.role == role)) for role, title in titles.items()
    ]
    parts += [_titled(f"Fields of {name}", _fields(entries)) for name, entries in RECORDS.items()]
    return "\n".join(parts)


def _fields(entries: Iterable[Entry]) -> str:
    return _definitions(
        (f"``{one.name}``{' (required)' if one.required else ''}", one.words) for one in entries
    )


def _titled(title: str, body: str) -> str:
    return f"{title}\n{'-' * len(title)}\n\n{body}"


def questions(provider: str) -> str:
    """Return what a provider that ships with rigger asks for."""
    module = load(os.path.join(packaged("provider"), provider))
    return _definitions((f"``{one.name}``", _question(one)) for one in module.questions)


def _question(one: Question) -> str:
    default = f"Default: ``{one.default}``." if one.default else ""
    kind = f"One of {', '.join(f'``{choice.value}``' for choice in one.choices)}." if one.choices else ""
    when = "Asked with ``--advanced``." if one.advanced else "May stay empty." if one.optional else ""
    return " ".join(filter(None, [_escaped(one.ask), _escaped(one.help), kind, default, when]))


def _escaped(words: str) -> str:
    return re.sub(r"([*`_|\\])", r"\\\1", words)


def variables() -> str:
    """Return what a script finds in its environment, and what a person may set."""
    scripts = _definitions((f"``{name}``", f"{words}.") for name, words in SCRIPT_VARIABLES.items())
    persons = _definitions((f"``{name}``", f"{words}.") for name, words in PERSONS_VARIABLES.items())
    return f"{_titled('What scripts get', scripts)}\n{_titled('What you may set', persons)}"


def exit_codes() -> str:
    return _definitions((f"``{code}``", f"{words}.") for code, words in EXIT_CODES.items())


OF_ALL = ("version", "outcome", "exit_code", "error")  # the fields that every report has


def json_shapes(folder: str) -> str:
    """Return the fields of every report, of the schemas in the folder `shapes`."""
    parts = []
    for name in sorted(os.listdir(os.path.join(folder, "shapes"))):
        with open(os.path.join(folder, "shapes", name), encoding="utf-8") as file:
            schema = json.load(file)
        if name != "error.json":  # which has nothing but what all have
            schema["properties"] = {n: f for n, f in schema["properties"].items() if n not in OF_ALL}
        parts.append(_titled(schema["title"], "\n".join(_shape(schema, ""))))
    return "\n".join(parts)


def _shape(schema: dict[str, Any], path: str) -> Iterable[str]:
    """Yield the lines of a definition list: each field by its path, its type and what it is."""
    if schema.get("type") == "array":
        yield from _shape(schema["items"], f"{path}[]")
        return
    for name, field in schema.get("properties", {}).items():
        at = f"{path}.{name}".lstrip(".")
        yield _definitions([(f"``{at}`` ({_type(field)})", field["description"])])
        yield from _shape(field, at)
    if isinstance(more := schema.get("additionalProperties"), dict):
        yield from _shape(more, f"{path}.*".lstrip("."))


def _type(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
