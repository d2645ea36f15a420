"""The field `container` of a manifest: an image, and which of its commands does the work of which verb."""

from __future__ import annotations

from rigger.envfile import names
from rigger.modules.model import Container, ContainerCommand
from rigger.modules.shapes import TEXT, TEXTS, Entry, Shape, list_of, map_of, matching, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.modules.shapes import Schema
    from rigger.modules.yaml import Field

_DIGEST = matching("sha256:[0-9a-f]{64}", lambda text: f"{text!r} is no digest: sha256: and 64 digits of hex")
_PATH = matching("/[^:,]*", lambda text: f"{text!r} is no absolute path, or has a : or a , in it")
_IMAGE = matching(r"[A-Za-z0-9][^\s]*", lambda text: f"{text!r} is not the name of an image")

_COMMAND_NAME = matching(
    "[a-z][a-z0-9_-]*",
    lambda text: f"{text!r} is not the name of a command: lower-case letters, digits, - and _",
)


def _variable(at: Field) -> str:
    name = at.text()
    if name in ("PATH", "HOME"):  # the program that runs containers has these too
        raise at.refuse(f"{name} cannot be given: it is the image's")
    if reason := names.check_name(name):
        raise at.refuse(f"{name!r} {reason}")
    return name


def _variable_schema() -> Schema:
    exact, beginnings = names.refused()
    refused = [
        {"enum": sorted({*exact, "PATH", "HOME"})},
        {"type": "string", "pattern": f"^({'|'.join(sorted(beginnings))})"},
    ]
    return {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "not": {"anyOf": refused}}


_VARIABLE = Shape(_variable, _variable_schema)

COMMAND_FIELDS = (
    Entry(
        "name",
        _COMMAND_NAME,
        "The verb that it does: ``apply``, ``destroy``, ``plan``, ``audit``, ``init`` and so on; ``metadata`` prints the "
        "labels. Other names are left alone.",
        required=True,
    ),
    Entry("description", TEXT, "What it does, in a few words for people."),
    Entry("command", TEXT, "The first argument that the image gets; without it, the name."),
    Entry("args", TEXTS, "The arguments after it; Jinja2 over the vars."),
    Entry("envs", map_of(TEXT, _VARIABLE), "Variables beside the vars; Jinja2 over the vars."),
)
_COMMAND = record(COMMAND_FIELDS)


def _commands(at: Field) -> dict[str, ContainerCommand]:
    commands: dict[str, ContainerCommand] = {}
    for item in at.items():
        fields: dict[str, Any] = _COMMAND.read(item)
        command = ContainerCommand(**{"command": fields["name"], **fields})
        if command.name in commands:
            raise item.refuse(f"the command {command.name} is given twice")
        commands[command.name] = command
    return commands


CONTAINER_FIELDS = (
    Entry("image", _IMAGE, "The image: ``docker.io/library/busybox:1.36``.", required=True),
    Entry(
        "digest",
        _DIGEST,
        "The digest that the image must have, by its registry or its id: ``sha256:...``. Any other image is refused.",
    ),
    Entry(
        "workdir", _PATH, "The folder in the container that commands run in; without it, what the image says."
    ),
    Entry(
        "mounts",
        list_of(_PATH),
        "Folders in the container that are kept from one command to the next: ``[/terraform]``.",
    ),
    Entry(
        "shared",
        _PATH,
        "Where the folder of all modules is in the container; without it ``/shared``. ``state.json`` is in it.",
    ),
    Entry(
        "commands",
        Shape(_commands, lambda: {"type": "array", "items": _COMMAND.schema()}),
        "What the image can do: ``[{name: apply, command: apply, args: [--quiet], envs: {LEVEL: warn}}]``.",
        required=True,
    ),
)


_CONTAINER = record(CONTAINER_FIELDS)
CONTAINER = Shape(lambda at: Container(**_CONTAINER.read(at)), _CONTAINER.schema)

CONTAINER_RECORDS: dict[str, tuple[Entry, ...]] = {
    "container": CONTAINER_FIELDS,
    "commands": COMMAND_FIELDS,
}
