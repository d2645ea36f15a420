"""YAML with the line of every value."""

from __future__ import annotations

import re

from rigger.errors import ModuleRefused, Refused
from rigger.modules import content
from rigger.modules.content import NEXT_STEP
from rigger.text import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from yaml import Event
    from yaml import Node as YamlNode

    Node = list[Any]

MAX_NODES = 20_000  # aliases of aliases must not grow without bound
MAX_DEPTH = 20
SCALAR, SEQUENCE, MAPPING = "scalar", "sequence", "mapping"

# [kind, line, value]: the value of a scalar is its text as it is written, of a sequence its nodes, of
# a mapping its pairs of nodes.


class Field:
    """One node of a manifest, with the place it stands at, for messages that name file, line and field."""

    def __init__(self, node: Node, file: str, path: str = ""):
        self.kind: str
        self.line: int
        self.kind, self.line, self.value = node
        self.file = file
        self.path = path

    def refuse(self, reason: str) -> ModuleRefused:
        at = f" {self.path}:" if self.path else ""
        return ModuleRefused(f"{self.file}, line {self.line}:{at}", reason, NEXT_STEP)

    def text(self) -> str:
        if self.kind != SCALAR:
            raise self.refuse("must be a single value")
        value: str = self.value
        if "\0" in value:
            raise self.refuse("must not hold a NUL byte")
        return value

    def word(self, known: Collection[str]) -> str:
        value = self.text()
        if value not in known:
            raise self.refuse(f"{value!r} is not one of {', '.join(known)}{did_you_mean(value, known)}")
        return value

    def flag(self) -> bool:
        value = self.text().lower()
        if value not in ("true", "false", "yes", "no"):
            raise self.refuse(f"{value!r} is neither true nor false")
        return value in ("true", "yes")

    def integer(self) -> int:
        value = self.text()
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise self.refuse(f"{value!r} is not a whole number")
        return int(value)

    def items(self) -> list[Field]:
        if self.kind != SEQUENCE:
            raise self.refuse("must be a list")
        return [Field(node, self.file, f"{self.path}[{i}]") for i, node in enumerate(self.value)]

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def entries(self) -> dict[str, Field]:
        if self.kind != MAPPING:
            raise self.refuse("must be a map of names to values")
        entries: dict[str, Field] = {}
        for key, value in self.value:
            name = Field(key, self.file, self.path).text()
            entry = Field(value, self.file, f"{self.path}.{name}" if self.path else name)
            if name in entries:
                raise Field(key, self.file, entry.path).refuse("is given twice")
            entries[name] = entry
        return entries

    def record(self, decoders: Mapping[str, Callable[[Field], object]]) -> dict[str, Any]:
        """Decode a map with known fields, by their names; the result has `_` for `-` in these."""
        result = {}
        for name, value in self.entries().items():
            decode = decoders.get(name)
            if decode is None:
                raise value.refuse(f"there is no such field{did_you_mean(name, [*decoders])}")
            result[name.replace("-", "_")] = decode(value)
        return result


def read(path: str) -> Field:
    """Return the top of a file; raises Refused with file and line."""
    return parse(content.read(path), path)


def parse(data: bytes, name: str, most: int = MAX_NODES) -> Field:
    """Return the top of YAML of at most so many nodes; raises Refused with name and line."""
    return Field(_compose(data, name, most), name)


def _compose(data: bytes, path: str, most: int) -> Node:
    import yaml

    # The base loader keeps every scalar as it is written: 1.10 stays 1.10 and no stays no.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        text = data.decode("utf-8")
        _limit_depth(yaml.parse(text, Loader=loader), path)
        node = yaml.compose(text, Loader=loader)
    except UnicodeDecodeError as problem:
        raise Refused(f"{path} is not UTF-8 text (byte {problem.start}).", NEXT_STEP) from None
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        raise Refused(f"{path}, line {mark.line + 1 if mark else 1}: {problem.problem}.", NEXT_STEP) from None
    except (yaml.YAMLError, RecursionError) as problem:
        raise Refused(f"{path} is not YAML: {str(problem).splitlines()[0]}.", NEXT_STEP) from None
    if node is None:
        raise Refused(f"{path} is empty.", NEXT_STEP)
    _limit_size(node, path, most)
    return _plain(node)


def _limit_depth(events: Iterable[Event], path: str) -> None:
    """Refuse what is nested deeply before it is composed: libyaml's composer recurses until the stack is full."""
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > MAX_DEPTH:
            raise _too_large(path)


def _limit_size(root: YamlNode, path: str, most: int) -> None:
    from yaml import MappingNode, SequenceNode

    waiting, seen = [(root, 0)], 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if seen > most or depth > MAX_DEPTH:
            raise _too_large(path)
        if isinstance(node, SequenceNode):
            waiting += [(child, depth + 1) for child in node.value]
        elif isinstance(node, MappingNode):
            waiting += [(child, depth + 1) for pair in node.value for child in pair]


def _too_large(path: str) -> Refused:
    return Refused(f"{path} is too large or too deep to be read.", NEXT_STEP)


def _plain(node: YamlNode) -> Node:
    from yaml import MappingNode, SequenceNode

    line = node.start_mark.line + 1
    if isinstance(node, SequenceNode):
        return [SEQUENCE, line, [_plain(child) for child in node.value]]
    if isinstance(node, MappingNode):
        return [MAPPING, line, [[_plain(key), _plain(child)] for key, child in node.value]]
    return [SCALAR, line, node.value]
