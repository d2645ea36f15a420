"""Terraform's state in an environment's folder: whole, the right one, and kept through a kill at any moment."""

from __future__ import annotations

import contextlib
import json
import os
import threading

from rigger.errors import InvalidConfig, Refused
from rigger.files import write_bytes
from rigger.terraform.workspace import STATE, Workspace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

GOOD = f"{STATE}.good"  # the newest state that was seen whole: Terraform writes its own file in place
SEEN = "last-state.json"  # lineage and serial of the state that was seen last
UNSAVED = "errored.tfstate"  # what Terraform leaves of a state that it could not write
BACKUPS = "backups"
KEPT_BACKUPS = 5
POLL = 0.02  # seconds between two looks at what a running Terraform wrote


def whole(path: str) -> dict[str, Any] | None:
    """Return a state that is whole, None for a file that is missing, empty, or cut off."""
    try:
        with open(path, "rb") as file:
            state = json.load(file)
    except (OSError, ValueError):
        return None
    is_whole = (
        isinstance(state, dict)
        and isinstance(state.get("serial"), int)
        and isinstance(state.get("lineage"), str)
    )
    return state if is_whole else None


def resources(path: str) -> list[dict[str, Any]]:
    state = whole(path)
    resources: list[dict[str, Any]] = state.get("resources", []) if state else []
    return resources


def copy(source: str, target: str) -> None:
    with open(source, "rb") as file:
        write_bytes(target, file.read())


def guard(workspace: Workspace, say: Callable[[str], None]) -> None:
    """Recover a state file that a kill cut off; raises Refused for one that is older than what the cloud was told."""
    if workspace.is_shared:
        return
    last_good, current = whole(workspace.file(GOOD)), whole(workspace.file(STATE))
    if last_good is None:
        if (
            current is None
            and os.path.exists(workspace.file(STATE))
            and os.path.getsize(workspace.file(STATE))
        ):
            raise Refused(
                f"{workspace.file(STATE)} is not a Terraform state.",
                f"Put a good one in its place; earlier ones may be in {workspace.file(BACKUPS)}.",
            )
        if current is None and seen(workspace).get("made"):
            raise Refused(
                f"The state that knows the machines (serial {seen(workspace)['serial']}) is not here: "
                "a bundle leaves it out if it holds a secret.",
                f'Load one that "rigger save --with-secrets" made, or put the state in {workspace.file(STATE)}.',
            )
    elif current is None:
        copy(workspace.file(GOOD), workspace.file(STATE))
        say(
            f"warning: The state was cut off while it was written, or is gone; the last good one "
            f"(serial {last_good['serial']}) is in its place."
        )
    else:
        require_newer(
            last_good, current, workspace.file(STATE), f"Put the right one back: {workspace.file(GOOD)}"
        )
    if current is not None:
        Keeper(workspace).look()  # one that grew while nobody looked


def guard_shared(workspace: Workspace, current: Mapping[str, Any] | None) -> None:
    """Raise Refused for a shared state that is older than what this environment saw there, or is gone."""
    last_seen = seen(workspace)
    if last_seen and current is None:
        raise Refused(
            f"There is no state in the {workspace.backend} backend, but there was one with serial {last_seen['serial']}.",
            f"Put it back; remove {workspace.file(SEEN)} to insist.",
        )
    if last_seen and current is not None:
        require_newer(
            last_seen, current, f"The state in the {workspace.backend} backend", f"See {workspace.file(SEEN)}"
        )


def note_seen(workspace: Workspace, current: Mapping[str, Any] | None) -> None:
    """Keep in mind which state there is; this holds no secret, and so is in every bundle."""
    if current is not None:
        noted = {
            "lineage": current["lineage"],
            "serial": current["serial"],
            "made": len(list(instances(current))),
        }
        write_bytes(workspace.file(SEEN), json.dumps(noted).encode() + b"\n", durable=False)


def seen(workspace: Workspace) -> dict[str, Any]:
    """Return lineage and serial of the state that was seen last, and how many resources it had; {} without one."""
    path = workspace.file(SEEN)
    try:
        with open(path, "rb") as file:
            noted = json.load(file)
        return noted if isinstance(noted, dict) else {}
    except (FileNotFoundError, ValueError):
        return {}
    except OSError as problem:  # an older or empty state would pass for the one that there is
        raise InvalidConfig(f"{path} cannot be read: {problem.strerror}.") from problem


def require_newer(last_seen: Mapping[str, Any], current: Mapping[str, Any], where: str, remedy: str) -> None:
    """Raise Refused for a state of another lineage or a lower serial than the one that was seen last."""
    if current["lineage"] != last_seen["lineage"]:
        raise Refused(
            f"{where} is of another lineage than the state that the machines here were made with.",
            f"{remedy}; remove that file to insist.",
        )
    if current["serial"] < last_seen["serial"]:
        raise Refused(
            f"{where} has serial {current['serial']}, but the cloud has been told up to {last_seen['serial']}.",
            f"{remedy}; remove that file to insist.",
        )


def instances(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in state.get("resources", []):
        yield from resource.get("instances", [])


def addresses(state: Mapping[str, Any], deposed: bool = False) -> Iterator[str]:
    """List the addresses of what is in a state; with `deposed`, of what something newer has taken the place of."""
    for resource in state.get("resources", []):
        prefix = f"{resource['module']}." if resource.get("module") else ""
        for instance in resource.get("instances", []):
            if deposed and not instance.get("deposed"):
                continue
            key = instance.get("index_key")
            index = "" if key is None else f"[{json.dumps(key)}]"
            yield f"{prefix}{resource.get('type')}.{resource.get('name')}{index}"


def back_up(workspace: Workspace) -> None:
    state = whole(workspace.file(STATE))
    if state is None or workspace.is_shared:
        return
    os.makedirs(workspace.file(BACKUPS), mode=0o700, exist_ok=True)
    copy(workspace.file(STATE), workspace.file(BACKUPS, f"{STATE}.{state['serial']:06d}"))
    entries = sorted(os.scandir(workspace.file(BACKUPS)), key=lambda entry: entry.stat().st_mtime_ns)
    for entry in entries[:-KEPT_BACKUPS]:
        os.unlink(entry.path)


class Keeper(threading.Thread):
    """Keeps the newest whole state beside the one that Terraform writes in place."""

    def __init__(self, workspace: Workspace):
        super().__init__(daemon=True)
        self.workspace = workspace
        self.done = threading.Event()
        self.seen = (0, -1)  # time and size of the file that was looked at last

    def __enter__(self) -> Keeper:
        if not self.workspace.is_shared:
            self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.done.set()
        if self.is_alive():
            self.join()
        self.look()

    def run(self) -> None:
        while not self.done.wait(POLL):
            self.look()

    def look(self) -> None:
        if self.workspace.is_shared:
            return
        path, good = self.workspace.file(STATE), self.workspace.file(GOOD)
        with contextlib.suppress(OSError):
            status = os.stat(path)
            if (status.st_mtime_ns, status.st_size) == self.seen:
                return
            state, known = whole(path), whole(good)
            if state is None:
                return
            self.seen = status.st_mtime_ns, status.st_size
            if known is None or state["lineage"] == known["lineage"] and state["serial"] >= known["serial"]:
                copy(path, good)
                note_seen(self.workspace, state)


def kept(workspace: Workspace) -> Keeper:
    """Return what keeps the newest whole state while something writes it."""
    return Keeper(workspace)
