"""Where a Terraform provider's state is kept: in the environment's folder, or in a backend that a team shares."""

from __future__ import annotations

import contextlib
import json
import os
import re

from rigger import templates
from rigger.errors import BadUsage, Refused
from rigger.files import write_bytes
from rigger.modules.contract import MANIFEST
from rigger.terraform import hcl
from rigger.terraform.state import GOOD, resources
from rigger.terraform.workspace import BACKEND, LOCAL, STATE, Workspace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

BACKEND_RECORD = "backend.json"  # the backend that the state is kept in
MOVED = f"{STATE}.migrated"


def asked(workspace: Workspace) -> dict[str, Any]:
    """Return the backend that is configured: kind, and its settings from the manifest's block and the answers."""
    if workspace.backend == LOCAL:
        return {}

    block = workspace.module.terraform.backends.get(workspace.backend, {})
    where = f"{MANIFEST}, terraform.backends.{workspace.backend}"
    settings = {name: templates.render(text, workspace.values, where) for name, text in block.items()}
    for word in workspace.values.get("TERRAFORM_BACKEND_CONFIG", "").split():
        name, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise BadUsage(f"TERRAFORM_BACKEND_CONFIG: {word!r} is not of the form name=value.")
        settings[name] = value
    return {workspace.backend: settings}


def write(workspace: Workspace) -> None:
    """Have Terraform use the backend that is configured, also where the module's own files name another."""
    path, settings = workspace.file(BACKEND), asked(workspace)
    if not settings and _has_own_backend(workspace):
        settings = {LOCAL: {}}
    if not settings:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    write_settings(path, settings)


def _has_own_backend(workspace: Workspace) -> bool:
    """Return whether the module's files say where the state is kept, or may: one that cannot be read may."""
    files = hcl.read_folder(workspace.module.folder, workspace.cache)
    return files.has_backend or not files.is_known


def ignored(workspace: Workspace) -> str:
    """Return what to say of a backend that the module's own files name; nothing where they name none."""
    if not hcl.read_folder(workspace.module.folder, workspace.cache).has_backend:
        return ""
    return (
        f"The backend in the .tf files does not count: the state is kept in {shown(asked(workspace))}, as "
        "TERRAFORM_BACKEND and TERRAFORM_BACKEND_CONFIG say."
    )


def write_settings(path: str, settings: Mapping[str, Any]) -> None:
    write_bytes(path, json.dumps({"terraform": {"backend": settings}}, indent=2).encode() + b"\n")


def record(workspace: Workspace) -> None:
    """Keep in mind that the state is in the backend that is configured: from now on it is looked for there."""
    settings = asked(workspace)
    if recorded(workspace) != settings or not os.path.exists(workspace.file(BACKEND_RECORD)):
        write_bytes(workspace.file(BACKEND_RECORD), json.dumps(settings).encode() + b"\n")
    if settings and os.path.exists(workspace.file(STATE)):  # Terraform would want to move it in its own way
        os.replace(workspace.file(STATE), workspace.file(MOVED))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(workspace.file(GOOD))


def forget(workspace: Workspace) -> None:
    """Forget where the state is kept: all that it knew is gone."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(workspace.file(BACKEND_RECORD))


def recorded(workspace: Workspace) -> dict[str, Any]:
    """Return the backend that the state was last kept in, {} for the local file."""
    try:
        with open(workspace.file(BACKEND_RECORD), "rb") as file:
            settings = json.load(file)
        return settings if isinstance(settings, dict) else {}
    except (OSError, ValueError):
        return {}


def require_same(workspace: Workspace) -> None:
    """Raise Refused where the state is somewhere else than what is configured: a new one would forget the machines."""
    before, after = recorded(workspace), asked(workspace)
    has_local_state = any(resources(workspace.file(name)) for name in (STATE, GOOD))
    if before != after and (before or has_local_state):
        raise Refused(
            f"The state is kept in {shown(before)}, but {shown(after)} is configured.",
            'Type "rigger terraform migrate" to move it there.',
        )


def shown(backend: Mapping[str, Any]) -> str:
    kind = next(iter(backend), LOCAL)
    return "this environment's folder" if kind == LOCAL else f"the {kind} backend"
