"""Selectors: how modules name each other by labels, and which modules they select.

The operators are those of Kubernetes' label selectors (In, NotIn, Exists, DoesNotExist, and what does not hold of a label
that is not there), with eq, ne and an order of versions beside them.
"""

from __future__ import annotations

import re

from rigger import versions
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ONE, SOME, NONE = "one value", "at least one value", "no values"
ORDERS = (">=", ">", "<=", "<")  # of versions
OPERATORS = {
    **{"eq": ONE, "ne": ONE, "in": SOME, "notin": SOME, "exists": NONE, "absent": NONE},
    **dict.fromkeys(ORDERS, ONE),
}


class Labelled(dict[str, "Mapping[str, str]"]):
    """Modules with their labels, of which those with one value of a label are found without a look at the others."""

    def __init__(self, modules: Mapping[str, Mapping[str, str]]):
        super().__init__(modules)
        self._with: dict[str, dict[str, list[str]]] = {}  # label -> value -> the modules that have it

    def having(self, key: str, value: str) -> list[str]:
        """Return the names of the modules whose label has that value."""
        if key not in self._with:
            self._with[key] = {}
            for name, labels in self.items():
                if key in labels:
                    self._with[key].setdefault(labels[key], []).append(name)
        return self._with[key].get(value, [])


@frozen
class Expression:
    """What must hold of one label."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def problem(self) -> str:
        """Return what is wrong with its values, nothing where they are as its operator takes them."""
        takes, count = OPERATORS[self.operator], len(self.values)
        if {ONE: count != 1, SOME: count < 1, NONE: count > 0}[takes]:
            return f"{self.operator} takes {takes}, not {count or 'none'}"
        if self.operator in ORDERS and versions.parse(self.values[0]) is None:
            return f"{self.values[0]!r} is no version: {self.operator} compares {versions.LOOKS}"
        return ""

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Return whether it holds. A label that is not there differs from every value, and has no version."""
        return bool(self.among([""], {"": labels}))

    def among(self, names: Iterable[str], modules: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Return for which of some modules, given with their labels, it holds; in one pass for each operator."""
        key, values = self.key, self.values
        match self.operator:
            case "eq" if names is modules and isinstance(modules, Labelled):
                return [*modules.having(key, values[0])]
            case "eq" | "in":
                return [name for name in names if modules[name].get(key) in values]
            case "ne" | "notin":
                return [name for name in names if modules[name].get(key) not in values]
            case "exists":
                return [name for name in names if key in modules[name]]
            case "absent":
                return [name for name in names if key not in modules[name]]
        there = [name for name in names if key in modules[name]]
        return [name for name in there if _compares(modules[name][key], self.operator, values[0])]

    def __str__(self) -> str:
        return " ".join(filter(None, (self.key, self.operator, ", ".join(self.values))))


def _compares(value: str, operator: str, other: str) -> bool:
    """Return whether two versions stand in that order; what is no version stands in none."""
    if versions.parse(value) is None:
        return False
    one, two = versions.key(value)[:-1], versions.key(other)[:-1]  # without the text: 3.5 is 3.5.0
    return {">=": one >= two, ">": one > two, "<=": one <= two, "<": one < two}[operator]


@frozen
class Group:
    """Expressions that must all hold of one module; it selects those modules."""

    expressions: tuple[Expression, ...]

    def holds(self, labels: Mapping[str, str]) -> bool:
        return bool(self.selected({"a module": labels}))

    def selected(self, modules: Mapping[str, Mapping[str, str]], apart: str = "") -> list[str]:
        """Return the names of the modules, given with their labels, that it selects; `apart` is whose group it is."""
        names: Iterable[str] = modules
        for expression in self.expressions:
            names = expression.among(names, modules)
        return [name for name in names if name != apart]

    def __str__(self) -> str:
        return " and ".join(map(str, self.expressions))


@frozen
class Requirement:
    """One of its groups must select a module."""

    groups: tuple[Group, ...]

    def selected(self, modules: Mapping[str, Mapping[str, str]], apart: str = "") -> list[str]:
        """Return the names of the modules that one of its groups selects."""
        if len(self.groups) == 1:
            return self.groups[0].selected(modules, apart)
        chosen = {name for group in self.groups for name in group.selected(modules, apart)}
        return [name for name in modules if name in chosen]

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Return whether a module with these labels would meet it."""
        return any(group.holds(labels) for group in self.groups)

    def __str__(self) -> str:
        return ", or ".join(map(str, self.groups))


@frozen
class Requires:
    """What must be there before a module, and what it connects to where it is there."""

    strong: tuple[Requirement, ...] = ()
    weak: tuple[Group, ...] = ()

    def unmet(self, modules: Mapping[str, Mapping[str, str]], apart: str = "") -> list[Requirement]:
        """Return the strong requirements that none of the modules meets."""
        return [one for one in self.strong if not one.selected(modules, apart)]

    def selected(self, modules: Mapping[str, Mapping[str, str]], apart: str = "") -> list[str]:
        """Return the names of all modules that it requires or connects to."""
        parts: list[Requirement | Group] = [*self.strong, *self.weak]
        chosen = {name for part in parts for name in part.selected(modules, apart)}
        return [name for name in modules if name in chosen]


def influenced(
    groups: Iterable[Group], modules: Mapping[str, Mapping[str, str]], apart: str = ""
) -> list[str]:
    """Return the names of the modules that one of the groups selects."""
    return Requirement(tuple(groups)).selected(modules, apart)


# Selectors as a person types them: kind=monitoring, provides-kafka>=2.5, provider=aws,local, kind, !kind

_TYPED = r"(?P<key>[A-Za-z0-9][A-Za-z0-9._/-]*?)\s*(?P<operator>!=|>=|<=|=|>|<)\s*(?P<values>.+)"
_BARE = r"(?P<not>!?)(?P<key>[A-Za-z0-9][A-Za-z0-9._/-]*)"


def typed(text: str) -> Expression | None:
    """Return the expression that somebody typed, None for what is none; `problem` says whether its values will do."""
    if match := re.fullmatch(_TYPED, text.strip()):
        values = tuple(value.strip() for value in match["values"].split(","))
        several = len(values) > 1
        names = {"=": "in" if several else "eq", "!=": "notin" if several else "ne"}
        return Expression(match["key"], names.get(match["operator"], match["operator"]), values)
    if match := re.fullmatch(_BARE, text.strip()):
        return Expression(match["key"], "absent" if match["not"] else "exists")
    return None
