"""How a value of a manifest is read, and what a JSON Schema says of the same value.

A schema sees what YAML makes of a text, rigger the text itself (1.10 stays 1.10): where text is wanted, a schema takes
numbers too.
"""

from __future__ import annotations

import re

from rigger.envfile import names
from rigger.modules.contract import NAME, NO_QUESTIONS, variable_problem
from rigger.modules.yaml import MAPPING, SEQUENCE, Field
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    Schema = dict[str, Any]

DURATION = r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?"
TEST_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
TOOL = r"([A-Za-z0-9._+-]+?)(?:\s*>=\s*([0-9][0-9.]*))?"
WHOLE_NUMBER = 10**18 - 1


@frozen
class Shape:
    """How one value is read (raises ModuleRefused with its line), and its JSON Schema."""

    read: Callable[[Field], Any]
    schema: Callable[[], Schema]


@frozen
class Entry:
    """One field of a record: its name in the manifest, what it is for, and who reads it."""

    name: str
    shape: Shape
    words: str  # reStructuredText that has no other markup than ``literals``
    role: str = ""  # provider or platform, where the other one does not read it
    required: bool = False


def scalar(**more: Any) -> Schema:
    return {"type": ["string", "number", "boolean", "null"], **more}


TEXT = Shape(Field.text, scalar)
FLAG = Shape(
    Field.flag,
    lambda: {
        "anyOf": [{"type": "boolean"}, {"type": "string", "pattern": "^([Tt]rue|[Ff]alse|[Yy]es|[Nn]o)$"}]
    },
)
INTEGER = Shape(
    Field.integer,
    lambda: {
        "anyOf": [
            {"type": "integer", "minimum": -WHOLE_NUMBER, "maximum": WHOLE_NUMBER},
            {"type": "string", "pattern": "^-?[0-9]{1,18}$"},
        ]
    },
)


def word(known: Collection[str]) -> Shape:
    """Return the shape of one of some words."""
    return Shape(lambda at: at.word(known), lambda: {"enum": list(known)})


def matching(pattern: str, refusal: Callable[[str], str]) -> Shape:
    """Return the shape of a text that matches a pattern; `refusal` says what is wrong with another."""

    def read(at: Field) -> str:
        if not re.fullmatch(pattern, at.text()):
            raise at.refuse(refusal(at.text()))
        return at.text()

    return Shape(read, lambda: {"type": ["string", "integer"], "pattern": f"^({pattern})$", "minimum": 0})


def list_of(item: Shape) -> Shape:
    return Shape(
        lambda at: tuple(item.read(one) for one in at.items()),
        lambda: {"type": "array", "items": item.schema()},
    )


def map_of(value: Shape, key: Shape = TEXT) -> Shape:
    """Return the shape of a map; what is wrong with a key is said at its value."""

    def read(at: Field) -> dict[Any, Any]:
        entries = at.entries()
        return {key.read(_text_at(name, one)): value.read(one) for name, one in entries.items()}

    def schema() -> Schema:
        keys = {} if key is TEXT else {"propertyNames": key.schema()}
        return {"type": "object", **keys, "additionalProperties": value.schema()}

    return Shape(read, schema)


def record(entries: tuple[Entry, ...]) -> Shape:
    """Return the shape of a map with known fields; it is read as a dict, with `_` for `-` in the names."""

    decoders = {entry.name: entry.shape.read for entry in entries}
    required = [entry.name for entry in entries if entry.required]

    def read(at: Field) -> dict[str, Any]:
        fields = at.record(decoders)
        for name in required:
            if name not in fields:
                raise at.refuse(f"the field {name!r} is missing")
        return fields

    return Shape(read, lambda: record_schema(entries))


def record_schema(entries: tuple[Entry, ...]) -> Schema:
    schema: Schema = {"type": "object", "additionalProperties": False}
    schema["properties"] = {
        entry.name: {"description": plain_words(entry), **entry.shape.schema()} for entry in entries
    }
    if required := [entry.name for entry in entries if entry.required]:
        schema["required"] = required
    return schema


def plain_words(entry: Entry) -> str:
    """Return what a field is for as an editor shows it, in Markdown."""
    role = f" (of a {entry.role})" if entry.role else ""
    return entry.words.replace("``", "`") + role


def either(sequence: Shape, other: Shape) -> Shape:
    """Return the shape of what is a list, or something else."""
    return Shape(
        lambda at: (sequence if at.kind == SEQUENCE else other).read(at),
        lambda: {"anyOf": [sequence.schema(), other.schema()]},
    )


def map_or(mapping: Shape, other: Shape) -> Shape:
    """Return the shape of what is a map, or something else."""
    return Shape(
        lambda at: (mapping if at.kind == MAPPING else other).read(at),
        lambda: {"anyOf": [mapping.schema(), other.schema()]},
    )


def _text_at(text: str, at: Field) -> Field:
    return Field(["scalar", at.line, text], at.file, at.path)


# Names, numbers and durations


def _variable(at: Field) -> str:
    if reason := variable_problem(at.text()):
        raise at.refuse(reason)
    return at.text()


def _variable_schema() -> Schema:
    exact, beginnings = names.refused()
    own = {name.removeprefix("RIGGER_") for name in NO_QUESTIONS}
    taken = sorted({*exact, *names.MANAGED, *names.CORE, *own})
    return {
        "type": "string",
        "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
        "not": {
            "anyOf": [{"enum": taken}, {"type": "string", "pattern": f"^({'|'.join(sorted(beginnings))})"}]
        },
    }


VARIABLE = Shape(_variable, _variable_schema)
MODULE_NAME = matching(
    NAME, lambda text: f"{text!r} is not a name: lower-case letters, digits, - and _, at most 63"
)
TEST = matching(TEST_NAME, lambda text: f"{text!r} is not the name of a file in tests/")
TEXTS = list_of(TEXT)
VARIABLES = list_of(VARIABLE)
TEXT_MAP = map_of(TEXT)
VARIABLE_MAP = map_of(TEXT, VARIABLE)


def _pattern(at: Field) -> str:
    try:
        re.compile(at.text())
    except re.error as problem:
        raise at.refuse(f"{at.text()!r} is not a regular expression: {problem}") from None
    return at.text()


PATTERN = Shape(_pattern, scalar)


def seconds_of(text: str) -> float | None:
    """Return the seconds of a duration of a manifest, 90s, 45m or 1h30m; None for what is none."""
    match = re.fullmatch(DURATION, text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    return float(hours * 3600 + minutes * 60 + seconds) or None


def _duration(at: Field) -> float:
    seconds = seconds_of(at.text())
    if seconds is None:
        raise at.refuse(f"{at.text()!r} is not a duration such as 90s, 45m or 1h30m")
    return seconds


DURATION_SHAPE = Shape(
    _duration,
    lambda: {"type": "string", "pattern": "^(?=.*[1-9])([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$"},
)
WAIT = Shape(
    lambda at: 0.0 if at.text() in ("0", "0s") else _duration(at),
    lambda: {"anyOf": [{"enum": [0, "0", "0s"]}, DURATION_SHAPE.schema()]},
)


def _port(at: Field) -> int:
    if not 0 < at.integer() < 65536:
        raise at.refuse(f"{at.text()} is not a port: a number from 1 to 65535")
    return at.integer()


PORT = Shape(
    _port,
    lambda: {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 65535},
            {"type": "string", "pattern": "^0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$"},
        ]
    },
)  # fmt: skip
