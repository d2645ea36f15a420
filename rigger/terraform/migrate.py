"""Move Terraform's state from one backend to another."""

from __future__ import annotations

import contextlib
import json
import os
import shutil

from rigger.errors import Refused, StepFailed
from rigger.files import write_bytes
from rigger.terraform import backend
from rigger.terraform.backend import write_settings
from rigger.terraform.runner import Terraform, lock_of, program_of
from rigger.terraform.state import GOOD, SEEN, guard, note_seen, whole
from rigger.terraform.steps import ready
from rigger.terraform.workspace import LOCAL, STATE, Workspace
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

COPY = f"{STATE}.before-migration"


def migrate(workspace: Workspace, say: Callable[[str], None]) -> str:
    """Move the state to the backend that is configured, and verify that it arrived: lineage, serial, resources.

    Returns a sentence that says where it is now. Until the very end the state is where it was: the record of where it
    is kept is replaced in one step.
    """
    before, after = backend.recorded(workspace), backend.asked(workspace)
    if before == after:
        return f"The state is in {backend.shown(before)} already."
    os.makedirs(workspace.folder, mode=0o700, exist_ok=True)
    try:
        if not before:
            guard(_here(workspace), say)
        old, target = _side(workspace, before, say).read(), _side(workspace, after, say)
        if old:
            sent = whole(workspace.file(COPY))  # by a move that did not come to its end
            write_bytes(workspace.file(COPY), json.dumps(old, indent=2).encode())
            new = _send(old, sent, workspace.file(COPY), target, backend.shown(after))
    except StepFailed as problem:
        raise StepFailed(
            f"The state did not arrive in {backend.shown(after)}, and is still in {backend.shown(before)}: "
            f"{problem.message}"
        ) from None
    backend.record(workspace)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(workspace.file(SEEN))
    if not old:
        return f"There was no state yet; it will be in {backend.shown(after)}."
    note_seen(workspace, new)
    serial = f"serial {new['serial']}, {len(new.get('resources', []))} kinds of resources"
    return f"The state ({serial}) moved from {backend.shown(before)} to {backend.shown(after)}."


def _send(
    old: dict[str, Any], sent: dict[str, Any] | None, path: str, target: _Here | _There, where: str
) -> dict[str, Any]:
    """Put a state into a backend, and return what is there then; raises StepFailed, and Refused where another is."""
    remote = target.read()
    ours = remote is not None and (not remote.get("resources") or _same_content(sent, remote))
    if remote and not ours:
        _require_older(old, remote, where)
    if not _same_state(old, remote):
        target.write(path, force=ours)
        remote = target.read()
        if remote and remote["lineage"] != old["lineage"]:  # Terraform begins a new one where there was none
            target.write(path, force=True)
            remote = target.read()
    if remote is None or not _same_state(old, remote):
        raise StepFailed("what is there now is not what was sent.")
    return remote


def _require_older(old: Mapping[str, Any], remote: Mapping[str, Any], where: str) -> None:
    if remote["lineage"] != old["lineage"]:
        raise Refused(
            f"{where} holds the state of something else (lineage {remote['lineage']}).".capitalize(),
            "Name another place in TERRAFORM_BACKEND_CONFIG.",
        )
    if remote["serial"] > old["serial"] and not _same_content(old, remote):
        raise Refused(
            f"{where} holds a newer state (serial {remote['serial']}, here {old['serial']}).".capitalize(),
            "Somebody has worked with it since: configure that backend again, or remove that state to insist.",
        )


def _same_state(old: Mapping[str, Any], new: Mapping[str, Any] | None) -> bool:
    """Return whether a state arrived; Terraform may count its serial up on the way."""
    return (
        new is not None
        and new["lineage"] == old["lineage"]
        and new["serial"] >= old["serial"]
        and _same_content(old, new)
    )


def _same_content(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    return one is not None and all(one.get(part) == other.get(part) for part in ("resources", "outputs"))


class _Here:
    """The state in the environment's own folder."""

    def __init__(self, workspace: Workspace):
        self.workspace = workspace

    def read(self) -> dict[str, Any] | None:
        return whole(self.workspace.file(STATE))

    def write(self, path: str, force: bool) -> None:
        with open(path, "rb") as file:
            state = file.read()
        for name in (GOOD, STATE):
            write_bytes(self.workspace.file(name), state)


class _There:
    """The state in a backend: Terraform in a folder that has nothing but the settings of that backend."""

    def __init__(self, workspace: Workspace, settings: dict[str, Any], say: Callable[[str], None]):
        folder = workspace.passing(f"backend-{next(iter(settings))}")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder, mode=0o700)
        write_settings(os.path.join(folder, "backend.tf.json"), settings)
        inner = replace(workspace, folder=folder, data=os.path.join(folder, ".terraform"))
        self.terraform = Terraform(inner, program_of(workspace), say)
        output = self.terraform.capture("init", input=False, no_color=self.terraform.flag)
        if output.returncode:
            self.terraform.fail("init", output.stdout + output.stderr)

    def read(self) -> dict[str, Any] | None:
        return self.terraform.pull()

    def write(self, path: str, force: bool) -> None:
        self.terraform.push(path, force)


def _side(workspace: Workspace, settings: dict[str, Any], say: Callable[[str], None]) -> _Here | _There:
    return _There(workspace, settings, say) if settings else _Here(workspace)


def _here(workspace: Workspace) -> Workspace:
    return replace(workspace, values={**workspace.values, "TERRAFORM_BACKEND": LOCAL})


def lock(workspace: Workspace, say: Callable[[str], None]) -> dict[str, str]:
    """Return who holds the state's lock, {} when nobody does."""
    terraform = ready(workspace, say)
    output = terraform.capture("plan", refresh=False, lock_timeout="0s", input=False, no_color=terraform.flag)
    return lock_of((output.stdout + output.stderr).decode("utf-8", "replace"))


def unlock(workspace: Workspace, id: str, say: Callable[[str], None]) -> None:
    """Release a lock that nobody holds any more; raises StepFailed."""
    terraform = ready(workspace, say)
    output = terraform.capture("force-unlock", id, force=terraform.flag)
    if output.returncode:
        terraform.fail("force-unlock", output.stdout + output.stderr)
