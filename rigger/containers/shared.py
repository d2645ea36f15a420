"""`state.json` in the folder that modules share: rigger's state as the images of modular LambdaStack read and write it.

Format: `{"kind": "state", "version": "v0.0.1", SHORT NAME: {"status", "config", "output"}}`, where status is initialized,
applied or destroyed. Source: github.com/epiphany-platform/e-structures, state/v0.
"""

from __future__ import annotations

import json
import os

from rigger import sdk
from rigger.errors import StepFailed
from rigger.files import unlink_if_there, write_bytes
from rigger.modules.instance import instance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.containers.work import Work

FILE = "state.json"
HEAD = {"kind": "state", "version": "v0.0.1"}
STATUSES = ("initialized", "applied", "destroyed")
KEPT = "lambdastack-state.json"  # in an instance's folder: what its image said of itself last


def write(work: Work) -> None:
    """Write the file for the image; what it said of itself last stays, but for the status."""
    write_bytes(_path(work), _before(work), durable=False)


def take(work: Work) -> None:
    """Take over what the image wrote: output as the module's, config as proposals; raises StepFailed for no valid state."""
    path = _path(work)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as problem:
        raise _no_state(work, str(problem.strerror)) from None
    before = _before(work)
    unlink_if_there(path)
    if data == before:
        return
    own = _own(work, data)
    write_bytes(os.path.join(work.values["RIGGER_STATE_DIR"], KEPT), json.dumps(own).encode(), durable=False)
    if isinstance(output := own.get("output"), dict) and not _has(work.values["RIGGER_STATE_OUTPUT"]):
        _put(work.values["RIGGER_STATE_OUTPUT"], json.dumps(output))
    if work.verb == "init" and not _has(work.values["RIGGER_OUTPUT"]):
        sdk.save_vars(_proposals(work, own.get("config") or {}), work.values)


def _proposals(work: Work, config: dict[str, Any]) -> dict[str, str]:
    """Return the answers among the fields of a config: `vms_rsa` answers VMS_RSA."""
    flat = {**config, **params} if isinstance(params := config.get("params"), dict) else config
    named = {name.upper().replace("-", "_"): value for name, value in flat.items()}
    asked = [question.name for question in work.module.questions]
    plain = {name: named[name] for name in asked if isinstance(named.get(name), (str, int, float))}
    return {name: _text(value) for name, value in plain.items()}


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _own(work: Work, data: bytes) -> dict[str, Any]:
    """Return what the image says of itself; raises StepFailed where that is not in the file as it must be."""
    try:
        state = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise _no_state(work, f"it is not JSON: {problem}") from None
    if not isinstance(state, dict) or state.get("kind") != HEAD["kind"]:
        raise _no_state(work, "it is no object with kind: state")
    own = state.get(_short(work), {})
    if own is None:
        return {}
    if not isinstance(own, dict) or own.get("status", STATUSES[0]) not in STATUSES:
        raise _no_state(work, f"{_short(work)} has no status of {', '.join(STATUSES)}")
    return own


def _no_state(work: Work, why: str) -> StepFailed:
    place = os.path.join(work.container.shared, FILE)
    return StepFailed(
        f"{work.verb} of {work.container.image} left no valid state in {place}: {why}.",
        "The image is to blame; its work may still be done: look before you try again.",
    )


def _path(work: Work) -> str:
    return os.path.join(os.path.dirname(work.values["RIGGER_STATE_DIR"]), FILE)


def _short(work: Work) -> str:
    return work.module.labels.get("short") or work.name


def _before(work: Work) -> bytes:
    """Return the file as rigger writes it for this step."""
    with open(work.values["RIGGER_STATE"], encoding="utf-8") as file:
        modules: dict[str, dict[str, Any]] = json.load(file)["modules"]
    state: dict[str, Any] = {**HEAD}
    labels = instance(work.module, work.name).labels
    used = work.module.requires.selected({n: one["labels"] for n, one in modules.items()}, work.name)
    for name in sorted(
        modules, key=lambda name: name in used
    ):  # of two with one short name the required one counts
        short = modules[name]["labels"].get("short") or name
        state[short] = _entry(modules[name])
    said = {**_entry(modules.get(work.name, {})), **_kept(work)}
    state[labels.get("short") or work.name] = {**said, "status": _status(modules.get(work.name, {}))}
    return json.dumps(state, indent=1).encode() + b"\n"


def _entry(module: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": _status(module),
        "config": module.get("config", {}),
        "output": module.get("output", {}),
    }


def _status(module: dict[str, Any]) -> str:
    """Return a status that the images know: what failed has to be applied once more."""
    status = str(module.get("status", ""))
    return status if status in STATUSES else STATUSES[0]


def _kept(work: Work) -> dict[str, Any]:
    try:
        with open(os.path.join(work.values["RIGGER_STATE_DIR"], KEPT), encoding="utf-8") as file:
            kept = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _has(path: str) -> bool:
    return os.path.exists(path) and os.path.getsize(path) > 0


def _put(path: str, content: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)
