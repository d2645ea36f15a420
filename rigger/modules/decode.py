"""Make a module of what its manifest says, and say which line is wrong."""

from __future__ import annotations

import os
import re

from rigger.modules import yaml as yaml_reader
from rigger.modules.contract import GIT_TAGS, INTERFACE
from rigger.modules.fields import MODULE
from rigger.modules.model import Module
from rigger.modules.verbs import MAKES
from rigger.questions.model import Question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.modules.yaml import Field


def decode(data: bytes, path: str) -> Module:
    """Return the module of a manifest, given with its path; raises Refused with file, line and field."""
    root, folder = yaml_reader.parse(data, path), os.path.dirname(path)
    _check_interface(root)
    fields = MODULE.read(root)
    fields.pop("interface")
    if fields.get("versions") == GIT_TAGS:
        fields.update(versions=(), git_tags=True)
    questions = _questions(fields.pop("questions", []), path, folder, fields["role"])
    if fields["role"] in ("platform", "addon"):
        fields.setdefault("prefix", re.sub(r"[^A-Z0-9]", "_", fields["name"].upper()))
    return Module(folder=folder, questions=questions, **fields)


def role_and_name(data: bytes, path: str) -> tuple[str, str]:
    """Return the role and the name of a manifest, whatever else is wrong with it; empty where it has none.

    Raises Refused where that cannot be read.
    """
    fields = yaml_reader.parse(data, path).entries()
    role, name = (fields[one].text() if one in fields else "" for one in ("role", "name"))
    return role, name


def _check_interface(root: Field) -> None:
    entries = root.entries()
    if "interface" not in entries:
        raise root.refuse(f"the field 'interface' is missing; this rigger speaks interface {INTERFACE}")
    at = entries["interface"]
    if at.integer() != INTERFACE:
        needed = f"; rigger {entries['rigger'].text()} knows it" if "rigger" in entries else ""
        raise at.refuse(f"interface {at.text()} is not one that this rigger speaks ({INTERFACE}){needed}")


def _question(at: Field, fields: dict[str, Any], path: str, folder: str, changes: str) -> Question:
    fields.setdefault("ask", f"{fields['name']}?")
    fields.setdefault("changes", changes)
    fields["pinned"] = fields.pop("keep", False) or "make" in fields
    fields["copied"] = fields.pop("copy", True)
    fields["generate"] = fields.get("generate", {}).get("length", 0)
    if fields["generate"] and fields.get("type") != "secret":
        raise at.refuse(f"{fields['name']} is no secret: nothing else can be generated")
    fields["choices"], fields["choices_command"] = fields.get("choices", ((), ""))
    if fields.get("type") in ("select", "checkbox") and not (fields["choices"] or fields["choices_command"]):
        raise at.refuse(f"{fields['name']} is a {fields['type']} without choices")
    return Question(origin=f"{path}, {fields['name']}", folder=folder, **fields)


def _questions(
    items: list[tuple[Field, dict[str, Any]]], path: str, folder: str, role: str
) -> tuple[Question, ...]:
    changes = MAKES[role]
    questions = tuple(_question(at, fields, path, folder, changes) for at, fields in items)
    names: set[str] = set()
    for question, (at, _) in zip(questions, items, strict=True):
        if question.name in names:
            raise at.refuse(f"{question.name} is asked twice")
        names.add(question.name)
    return questions
