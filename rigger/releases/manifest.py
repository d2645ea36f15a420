"""The file that describes projects, in a repository's top folder: JSON or YAML, with the line of whatever is wrong in it.

It is the file of the tool `weco-deploy` and of the ones before it, as repositories have it, and of what is in there only
this is read. Ours is the name `.rigger_project`, and what carries out the deployments to an environment.
"""

from __future__ import annotations

import os
import re

from rigger.errors import BadUsage, InvalidConfig, ModuleRefused, ProjectRefused, Refused
from rigger.modules import yaml
from rigger.modules.yaml import Field
from rigger.releases.names import RULE, is_name, variable
from rigger.releases.project import Image, Place, Project
from rigger.text import did_you_mean, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = (".rigger_project", ".wellcome_project")
EMPTY = ("", "null", "~")  # how JSON and YAML write nothing
CARRIERS = ("rigger", "stack")
STORES = ("folder", "aws")
NEXT_STEP = "Correct it, then run the same command again."


def find(folder: str) -> str:
    """Return the manifest of a folder, or of the nearest one above it; raises InvalidConfig where there is none.

    Raises Refused for a folder with two of them.
    """
    here = os.path.abspath(folder)
    while True:
        found = [path for path in (os.path.join(here, name) for name in NAMES) if os.path.isfile(path)]
        if len(found) > 1:
            raise ProjectRefused(
                f"{here} has both {' and '.join(NAMES)}.", "Say which one is meant: --project-file FILE."
            )
        if found:
            return found[0]
        above = os.path.dirname(here)
        if above == here or os.path.exists(os.path.join(here, ".git")):
            raise InvalidConfig(
                f"There is no project here: neither {os.path.abspath(folder)} nor a folder above it has a file {NAMES[0]}.",
                'Write one ("rigger docs releases" shows how it looks), or name it: --project-file FILE.',
            )
        here = above


def read(path: str, wanted: str = "") -> Project:
    """Return a project of a manifest: the one of that id, or the only one.

    Raises BadUsage where there is no such file or project, or it has to be said which one is meant; Refused, with line and
    key, for a file that is not as it has to be.
    """
    if not os.path.isfile(path):
        raise BadUsage(f"There is no file {path}.", "Name the project's: --project-file FILE.")
    try:
        top = yaml.read(path)
        projects = top.entries()
        if not projects:
            raise top.refuse("has no project")
        _require_chosen(path, projects, wanted)
        id = wanted or next(iter(projects))
        if not is_name(id):
            raise top.refuse(f"{id!r} is not the id of a project: {RULE}")
        return _project(path, id, projects[id])
    except ModuleRefused as problem:
        raise ProjectRefused(problem.message, NEXT_STEP) from None
    except ProjectRefused:
        raise
    except Refused as problem:
        raise ProjectRefused(problem.message, problem.next_step) from None


def _require_chosen(path: str, projects: dict[str, Field], wanted: str) -> None:
    if wanted and wanted not in projects:
        raise BadUsage(
            f"{path} has no project {wanted!r}{did_you_mean(wanted, projects)}.",
            f"It has {listed([*projects])}.",
        )
    if not wanted and len(projects) > 1:
        raise BadUsage(
            f"{path} has {len(projects)} projects: {listed([*projects])}.", "Say which one: --project ID."
        )


def _project(path: str, id: str, field: Field) -> Project:
    entries = field.entries()
    places = _places(_required(field, entries, "environments"))
    images = _images(_required(field, entries, "image_repositories"))
    return Project(
        id,
        _text(entries, "name") or id,
        path,
        {place.id: place for place in places},
        {image.id: image for image in images},
        _text(entries, "account_id"),
        _region(entries),
        _text(entries, "role_arn"),
        _text(entries, "tf_stack_root"),
        _text(entries, "github_repository"),
        *_store(entries),
        field.line,
    )


def _store(entries: dict[str, Field]) -> tuple[str, str]:
    """Return where the records are, and the name of the table; raises ModuleRefused for what neither is."""
    table = _text(entries, "releases_table")
    if table and not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", table):
        raise entries["releases_table"].refuse(
            f"{table!r} is no name of a DynamoDB table: 3 to 255 letters, digits, _ . and -"
        )
    store = entries["store"].word(STORES) if _text(entries, "store") else ""
    if table and store != "aws":
        raise entries["releases_table"].refuse("is for store: aws alone")
    return ("" if store == "folder" else store), table


def _region(entries: dict[str, Field]) -> str:
    """Return the region, which has two keys by age; raises ModuleRefused where they say different ones."""
    old, new = _text(entries, "region_name"), _text(entries, "aws_region_name")
    if old and new and old != new:
        line = entries["region_name"].line
        raise entries["aws_region_name"].refuse(
            f"is {new!r}, and region_name in line {line} is {old!r}: one of them is wrong"
        )
    return old or new


def _places(field: Field) -> list[Place]:
    places: list[Place] = []
    for one in _items(field, "environment"):
        entries = one.entries()
        id = _id(one, entries)
        if others := [place for place in places if place.id == id]:
            raise one.refuse(f"environment {id!r} is there already, in line {others[0].line}")
        places.append(Place(id, _text(entries, "name") or id, *_carrier(one, entries), one.line))
    return places


def _carrier(field: Field, entries: dict[str, Field]) -> tuple[str, str]:
    """Return what carries deployments out: its kind, and which one."""
    said = [name for name in CARRIERS if name in entries]
    if len(said) > 1:
        raise entries[said[1]].refuse(f"an environment has one of {' and '.join(CARRIERS)}, not both")
    if not said:
        return "", ""
    own = entries[said[0]]
    if said == ["stack"]:
        folder = own.text()
        if folder in EMPTY:
            raise own.refuse("must name the folder of a Terraform stack")
        return "stack", folder
    name = own.record({"environment": Field.text}).get("environment", "")
    if name in EMPTY:
        raise own.refuse("must name a rigger environment: rigger: {environment: NAME}")
    return "rigger", name


def _images(field: Field) -> list[Image]:
    images: list[Image] = []
    services: dict[str, Image] = {}
    variables: dict[str, str] = {}
    for one in _items(field, "image repository"):
        entries = one.entries()
        id = _id(one, entries)
        if others := [image for image in images if image.id == id]:
            raise one.refuse(f"image repository {id!r} is there already, in line {others[0].line}")
        image = Image(id, _services(entries, id), one.line)
        images.append(image)
        for service in image.services:
            if service in services:
                raise one.refuse(
                    f"service {service!r} is one of {services[service].id!r} already, in line {services[service].line}"
                )
            services[service] = image
            if (other := variables.setdefault(variable(service), service)) != service:
                raise one.refuse(
                    f"services {other!r} and {service!r} would have the same {variable(service)}"
                )
    for image in images:  # else nobody could tell which of the two a word means
        if image.id in services and services[image.id].id != image.id:
            owner = services[image.id]
            raise field.refuse(
                f"{image.id!r} is an image repository, in line {image.line}, and a service of {owner.id!r}, in line {owner.line}"
            )
    return images


def _services(entries: dict[str, Field], id: str) -> tuple[str, ...]:
    """Return the services of an image, each a map with an id or plain text; one without any is a service itself."""
    field = entries.get("services")
    if field is None or (field.kind == yaml.SCALAR and field.value in EMPTY) or not field.items():
        return (id,)
    found: list[str] = []
    for one in field.items():
        service = _named(one, one.text()) if one.kind == yaml.SCALAR else _id(one, one.entries())
        if service in found:
            raise one.refuse(f"service {service!r} is given twice")
        found.append(service)
    return tuple(found)


def _items(field: Field, what: str) -> Sequence[Field]:
    items = field.items()
    if not items:
        raise field.refuse(f"must have at least one {what}")
    return items


def _required(field: Field, entries: dict[str, Field], name: str) -> Field:
    if name not in entries:
        raise field.refuse(f"has no {name}{did_you_mean(name, entries, 0.8)}")
    return entries[name]


def _text(entries: dict[str, Field], name: str) -> str:
    value = entries[name].text() if name in entries else ""
    return "" if value in EMPTY else value


def _id(field: Field, entries: dict[str, Field]) -> str:
    own = _required(field, entries, "id")
    return _named(own, own.text())


def _named(field: Field, id: str) -> str:
    if not is_name(id):
        raise field.refuse(f"{id!r} is not an id: {RULE}")
    return id
