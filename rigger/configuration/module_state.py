"""The state that all modules read: what each is, was configured with and gave, and the nodes.

It is worked out of the audit log, the values and the inventory whenever somebody needs it; `state.json` in the environment
is what it came to last, for scripts and people.
"""

from __future__ import annotations

import json

from rigger.audit.modules import APPLIED, DESTROYED, FAILED, INITIALIZED, ModuleRecord
from rigger.configuration.addons import labels_of
from rigger.environments.state import state_of
from rigger.files import write_bytes
from rigger.modules.selectors import Labelled, influenced
from rigger.modules.verbs import MAKES
from rigger.sha256 import digest_of_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from rigger.audit.state import ClusterState
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module

FILE = "state.json"
VERSION = 1


def record_of(state: ClusterState, module: Module) -> ModuleRecord:
    """Return the status of a module, and what it gave; of a provider and a platform by the step that makes them."""
    if module.role == "addon":
        return state.modules.get(module.name)
    key = f"{module.role}/{module.name}/{MAKES[module.role]}"
    done, unfinished = state.steps.done.get(key), state.steps.unfinished(key)
    if unfinished is not None:
        since = (unfinished.finished or unfinished.started).time
        return ModuleRecord(module.name, status=FAILED, since=since, problem=unfinished.outcome())
    if done is not None:
        since = done.finished.time if done.finished else ""
        return ModuleRecord(module.name, status=APPLIED, since=since)
    return ModuleRecord(module.name, status=DESTROYED if state.destroyed else INITIALIZED)


def applied_labels(environment: Environment, config: Config) -> dict[str, dict[str, str]]:
    """Return the labels of the modules that are applied, by the name of their state: these meet requirements."""
    state, labels = state_of(environment), labels_of(config)
    names = {config.state_name(m) for m in config.modules if record_of(state, m).status == APPLIED}
    return {name: one for name, one in labels.items() if name in names}


def module_state(environment: Environment, config: Config) -> dict[str, Any]:
    """Return the state of an environment; no secret is in it."""
    state, labels = state_of(environment), labels_of(config)
    modules, used = {}, dict[str, list[str]]()
    for module in config.modules:
        record, name = record_of(state, module), config.state_name(module)
        modules[name] = {
            "role": module.role,
            "labels": labels[name],
            "version": labels[name].get("version", ""),
            "status": record.status,
            "since": record.since,
            **({"problem": record.problem} if record.problem else {}),
            "config": _config(config, module),
            "output": record.given() if module.role == "addon" else _output(config, module),
            "uses": list(record.uses),
        }
        for node in record.uses:
            used.setdefault(node, []).append(name)
    nodes = [{**vars(node), "used_by": used.get(node.name, [])} for node in environment.nodes()]
    return {"version": VERSION, "modules": modules, "nodes": nodes}


def write(environment: Environment, config: Config) -> str:
    """Bring `state.json` up to date, where the lock is held; returns what was wrong with the old file, if anything was."""
    path = environment.file(FILE)
    data = json.dumps(module_state(environment, config), indent=1).encode() + b"\n"
    try:
        with open(path, "rb") as file:
            before = file.read()
    except OSError:
        before = b"{}"
    if before == data:
        return ""
    write_bytes(path, data, mode=0o400, durable=False)  # it can always be worked out again
    try:
        json.loads(before)
    except (ValueError, RecursionError):
        return f"{path} could not be read as JSON; it was written again from the audit log and the vars."
    return ""


def inputs_of(
    environment: Environment, config: Config, addons: Iterable[Module]
) -> dict[str, dict[str, str]]:
    """Return for each add-on a digest of what it reads of each module that it stands on, or that influences it."""
    labels, state = Labelled(labels_of(config)), state_of(environment)
    records = {config.state_name(module): (module, record_of(state, module)) for module in config.modules}
    influencing = {
        name: frozenset(influenced(other.influences, labels, name))
        for name, (other, _) in records.items()
        if other.influences
    }
    digests: dict[str, str] = {}  # each is worked out once, and only where somebody reads it
    found = {}
    for addon in addons:
        related = {*addon.requires.selected(labels, addon.name)}
        related |= {name for name, others in influencing.items() if addon.name in others}
        for name in related - digests.keys():
            module, record = records[name]
            digests[name] = digest_of_data(_read_of(environment, config, module, record))
        found[addon.name] = {
            n: digests[n] for n in records if n in related and records[n][1].status == APPLIED
        }
    return found


def _read_of(environment: Environment, config: Config, module: Module, record: ModuleRecord) -> Any:
    output = record.given() if module.role == "addon" else _output(config, module)
    nodes = [vars(node) for node in environment.nodes()] if module.role == "provider" else []
    return [_config(config, module), output, list(record.uses), nodes]


def _config(config: Config, module: Module) -> dict[str, str]:
    """Return the answers of a module's own questions under the names of its manifest; secrets are left out."""
    start = f"{module.prefix}_" if module.role == "addon" else ""
    names = (question.name for question in module.questions)
    return {
        n.removeprefix(start): config.values[n]
        for n in names
        if n in config.values and n not in config.secrets
    }


def _output(config: Config, module: Module) -> dict[str, str]:
    """Return the vars that a provider or a platform promises to set."""
    return {
        name: config.values[name]
        for name in module.outputs
        if name in config.values and name not in config.secrets
    }


def missing_needs(state: Mapping[str, Any], name: str, needs: tuple[str, ...]) -> list[str]:
    """Return the fields that a module reads and that no other module's output has."""
    outputs = {other: one["output"] for other, one in state["modules"].items() if other != name}
    missing = []
    for need in needs:
        first, _, rest = need.partition(".")
        known_as = [
            other for other, one in state["modules"].items() if first in (other, one["labels"].get("name"))
        ]
        named = bool(rest) and any(_has(outputs.get(other, {}), rest) for other in known_as)
        if not named and not any(_has(output, need) for output in outputs.values()):
            missing.append(need)
    return missing


def _has(output: Any, path: str) -> bool:
    for part in path.split("."):
        if not isinstance(output, dict) or part not in output:
            return False
        output = output[part]
    return True


def missing_fields(output: Mapping[str, Any], provides: tuple[str, ...]) -> list[str]:
    """Return the fields that a module promises and its output has not."""
    return [path for path in provides if not _has(output, path)]
