"""Where a Terraform provider's state is kept: in the environment's folder, or in a backend that a team shares."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping

from rigger import templates
from rigger.errors import BadUsage, Refused
from rigger.files import write_bytes
from rigger.modules.contract import MANIFEST
from rigger.terraform.state import GOOD, resources
from rigger.terraform.workspace import LOCAL, STATE, Place, has_own_backend

BACKEND = "rigger_backend_override.tf.json"
BACKEND_RECORD = "backend.json"  # the backend that the state is kept in
MOVED = f"{STATE}.migrated"


def asked(place: Place) -> dict:
    """Return the backend that is configured: kind, and its settings from the manifest's block and the answers."""
    if place.backend == LOCAL:
        return {}

    block = place.module.terraform.backends.get(place.backend, {})
    where = f"{MANIFEST}, terraform.backends.{place.backend}"
    settings = {name: templates.render(text, place.values, where) for name, text in block.items()}
    for word in place.values.get("TERRAFORM_BACKEND_CONFIG", "").split():
        name, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise BadUsage(f"TERRAFORM_BACKEND_CONFIG: {word!r} is not of the form name=value.")
        settings[name] = value
    return {place.backend: settings}


def write(place: Place) -> None:
    """Have Terraform use the backend that is configured, also where the module's own files name another."""
    path, settings = place.file(BACKEND), asked(place)
    if not settings and has_own_backend(place.module.folder):
        settings = {LOCAL: {}}
    if not settings:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    write_settings(path, settings)


def write_settings(path: str, settings: Mapping) -> None:
    write_bytes(path, json.dumps({"terraform": {"backend": settings}}, indent=2).encode() + b"\n")


def record(place: Place) -> None:
    """Keep in mind that the state is in the backend that is configured: from now on it is looked for there."""
    settings = asked(place)
    if recorded(place) != settings or not os.path.exists(place.file(BACKEND_RECORD)):
        write_bytes(place.file(BACKEND_RECORD), json.dumps(settings).encode() + b"\n")
    if settings and os.path.exists(place.file(STATE)):  # Terraform would want to move it in its own way
        os.replace(place.file(STATE), place.file(MOVED))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(place.file(GOOD))


def forget(place: Place) -> None:
    """Forget where the state is kept: all that it knew is gone."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place.file(BACKEND_RECORD))


def recorded(place: Place) -> dict:
    """Return the backend that the state was last kept in, {} for the local file."""
    try:
        with open(place.file(BACKEND_RECORD), "rb") as file:
            found = json.load(file)
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def require_same(place: Place) -> None:
    """Raise Refused where the state is somewhere else than what is configured: a new one would forget the machines."""
    before, after = recorded(place), asked(place)
    here = any(resources(place.file(name)) for name in (STATE, GOOD))
    if before != after and (before or here):
        raise Refused(
            f"The state is kept in {shown(before)}, but {shown(after)} is configured.",
            'Type "rigger terraform migrate" to move it there.',
        )


def shown(backend: Mapping) -> str:
    kind = next(iter(backend), LOCAL)
    return "this environment's folder" if kind == LOCAL else f"the {kind} backend"
