"""Read a module's manifest, and say which line is wrong."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from rigger.envfile.names import check_name
from rigger.modules import yaml as yaml_reader
from rigger.modules.contract import CONTRACT_VARIABLES, CORE, GIT_TAGS, INTERFACE, MANIFEST, NAME
from rigger.modules.model import Module, Suite, TerraformSettings, Tool, Upgrade
from rigger.modules.verbs import ROLES, SUSPENDS
from rigger.modules.yaml import MAPPING, SEQUENCE, Field
from rigger.questions.model import CHANGES, KEY_KINDS, TYPES, Choice, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

DURATION = r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?"


# What a manifest says


def load(folder: str, cache: str | None = None) -> Module:
    """Read a module's manifest; raises Refused with file, line and field. `cache`: see manifest.read."""
    path = os.path.join(folder, MANIFEST)
    root = yaml_reader.read(path, cache)
    _check_interface(root)
    fields = root.record(
        interface=Field.text,
        rigger=Field.text,
        name=_name,
        role=lambda at: at.word(ROLES),
        description=Field.text,
        labels=_text_map,
        tools=_tools,
        types=lambda at: {name: _text_map(value, variable=True) for name, value in at.entries().items()},
        questions=lambda at: at.items(),
        outputs=lambda at: tuple(_variable(item) for item in at.items()),
        timeouts=lambda at: {name: _duration(value) for name, value in at.entries().items()},
        prefix=_variable,
        repository=Field.text,
        versions=_versions,
        version_pattern=_pattern,
        interfaces=_interfaces,
        terraform=_terraform,
        suites=_suites,
        components=_suites,
        upgrades=_upgrades,
        vars=lambda at: _text_map(at, variable=True),
        ports=lambda at: tuple(_port(item) for item in at.items()),
        suspend=lambda at: at.word(SUSPENDS),
        ready=lambda at: 0.0 if at.text() in ("0", "0s") else _duration(at),
        ssh_agent=lambda at: tuple(_variable(item) for item in at.items()),
    )
    _require(root, fields, "name", "role")
    fields.pop("interface", None)
    if fields.get("versions") == GIT_TAGS:
        fields.update(versions=(), git_tags=True)
    questions = _questions(fields.pop("questions", []), path, folder, fields["role"])
    if fields["role"] == "platform":
        fields.setdefault("prefix", re.sub(r"[^A-Z0-9]", "_", fields["name"].upper()))
    return Module(folder=folder, questions=questions, **fields)


def _require(at: Field, fields: Mapping[str, object], *names: str) -> None:
    for name in names:
        if name not in fields:
            raise at.refuse(f"the field {name!r} is missing")


def _check_interface(root: Field) -> None:
    entries = root.entries()
    if "interface" not in entries:
        raise root.refuse(f"the field 'interface' is missing; this rigger speaks interface {INTERFACE}")
    at = entries["interface"]
    if at.integer() != INTERFACE:
        needed = f"; rigger {entries['rigger'].text()} knows it" if "rigger" in entries else ""
        raise at.refuse(f"interface {at.text()} is not one that this rigger speaks ({INTERFACE}){needed}")


def _terraform(at: Field) -> TerraformSettings:
    fields = at.record(
        minimum=Field.text,
        variables=_text_map,
        outputs=lambda at: {name: _variable(value) for name, value in at.entries().items()},
        inventory=Field.text,
        backends=lambda at: {kind: _text_map(value) for kind, value in at.entries().items()},
    )
    return TerraformSettings(**fields)


def _versions(at: Field) -> tuple[str, ...] | str:
    return GIT_TAGS if at.kind != SEQUENCE and at.text() == GIT_TAGS else at.texts()


def _interfaces(at: Field) -> dict[int, str]:
    interfaces = {}
    for number, version in at.entries().items():
        if not re.fullmatch(r"[1-9][0-9]{0,3}", number):
            raise version.refuse(f"{number!r} is not the number of an interface")
        interfaces[int(number)] = version.text()
    return interfaces


def _port(at: Field) -> int:
    if not 0 < at.integer() < 65536:
        raise at.refuse(f"{at.text()} is not a port: a number from 1 to 65535")
    return at.integer()


def _name(at: Field) -> str:
    value = at.text()
    if not re.fullmatch(NAME, value):
        raise at.refuse(f"{value!r} is not a name: lower-case letters, digits, - and _, at most 63")
    return value


def _variable(at: Field) -> str:
    if reason := _variable_problem(at.text()):
        raise at.refuse(reason)
    return at.text()


def _variable_problem(name: str) -> str | None:
    if reason := check_name(name):
        return f"{name!r} {reason}"
    if name in CORE:
        return f"{name!r} is a question of rigger's own"
    if f"RIGGER_{name}" in CONTRACT_VARIABLES:
        return f"{name!r} cannot be given as RIGGER_{name}, which rigger sets for scripts"
    return None


def _text_map(at: Field, variable: bool = False) -> dict[str, str]:
    result = {}
    for name, value in at.entries().items():
        if variable and (reason := _variable_problem(name)):
            raise value.refuse(reason)
        result[name] = value.text()
    return result


def _pattern(at: Field) -> str:
    value = at.text()
    try:
        re.compile(value)
    except re.error as problem:
        raise at.refuse(f"{value!r} is not a regular expression: {problem}") from None
    return value


def _duration(at: Field) -> float:
    match = re.fullmatch(DURATION, at.text())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    if not hours + minutes + seconds:
        raise at.refuse(f"{at.text()!r} is not a duration such as 90s, 45m or 1h30m")
    return float(hours * 3600 + minutes * 60 + seconds)


def _tools(at: Field) -> tuple[Tool, ...]:
    return tuple(_tool(item) for item in at.items())


def _tool(at: Field) -> Tool:
    if at.kind == MAPPING:
        fields = at.record(name=Field.text, minimum=Field.text, remedy=Field.text)
        _require(at, fields, "name")
        return Tool(**fields)
    match = re.fullmatch(r"([A-Za-z0-9._+-]+?)(?:\s*>=\s*([0-9][0-9.]*))?", at.text())
    if not match:
        raise at.refuse(f"{at.text()!r} is not a tool such as terraform or terraform>=1.5")
    return Tool(match[1], match[2] or "")


def _suites(at: Field) -> dict[str, Suite]:
    suites = {}
    for name, value in at.entries().items():
        fields = {} if value.kind == SEQUENCE else value.record(description=Field.text, tests=Field.texts)
        tests = value.texts() if value.kind == SEQUENCE else fields.get("tests", ())
        if not tests:
            raise value.refuse("lists no tests")
        for test in tests:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", test):
                raise value.refuse(f"{test!r} is not the name of a file in tests/")
        suites[name] = Suite(name, fields.get("description", ""), tests)
    return suites


def _upgrades(at: Field) -> dict[str, Upgrade]:
    upgrades = {}
    for style, value in at.entries().items():
        if not re.fullmatch(NAME, style):
            raise value.refuse(f"{style!r} is not the name of a style: upgrade-{style} would be its script")
        fields = value.record(
            description=Field.text,
            within=lambda at: at.word(("major", "minor")),
            minors=Field.integer,
            since=Field.text,
        )
        upgrades[style] = Upgrade(style, **fields)
    return upgrades


def _choices(at: Field) -> tuple[tuple[Choice, ...], str]:
    if at.kind == SEQUENCE:
        return tuple(Choice(text) for text in at.texts()), ""
    entries = at.entries()
    if list(entries) == ["command"]:
        return (), entries["command"].text()
    return tuple(Choice(value, text.text()) for value, text in entries.items()), ""


def _question(at: Field, path: str, folder: str, changes: str) -> Question:
    fields = at.record(
        name=_variable,
        ask=Field.text,
        help=Field.text,
        type=lambda at: at.word(TYPES),
        choices=_choices,
        default=Field.text,
        when=Field.text,
        check=Field.text,
        env=lambda at: tuple(_variable(item) for item in at.items()),
        advanced=Field.flag,
        optional=Field.flag,
        keep=Field.flag,
        make=lambda at: at.word(KEY_KINDS),
        pattern=_pattern,
        min=Field.integer,
        max=Field.integer,
        changes=lambda at: at.word(CHANGES),
    )
    _require(at, fields, "name")
    fields.setdefault("ask", f"{fields['name']}?")
    fields.setdefault("changes", changes)
    fields["pinned"] = fields.pop("keep", False) or "make" in fields
    fields["choices"], fields["choices_command"] = fields.get("choices", ((), ""))
    if fields.get("type") in ("select", "checkbox") and not (fields["choices"] or fields["choices_command"]):
        raise at.refuse(f"{fields['name']} is a {fields['type']} without choices")
    return Question(origin=f"{path}, {fields['name']}", folder=folder, **fields)


def _questions(items: list[Field], path: str, folder: str, role: str) -> tuple[Question, ...]:
    changes = "deploy" if role == "platform" else "create"
    questions = tuple(_question(item, path, folder, changes) for item in items)
    names: set[str] = set()
    for question, item in zip(questions, items, strict=True):
        if question.name in names:
            raise item.refuse(f"{question.name} is asked twice")
        names.add(question.name)
    return questions
