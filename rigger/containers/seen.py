"""What a container sees of this machine: the vars, and the files through which a script reads and gives back."""

from __future__ import annotations

import os
from contextlib import suppress

from rigger import templates
from rigger.envfile import file as envfile
from rigger.modules.instance import instance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.containers.work import Work

# The files of the contract. They lie in the container where they lie here, so that their variables hold there too.
WRITTEN = (
    *("RIGGER_OUTPUT", "RIGGER_SECRETS_OUTPUT", "RIGGER_INVENTORY_OUTPUT", "RIGGER_FIGURES_OUTPUT"),
    "RIGGER_STATE_OUTPUT",
)
READ = ("RIGGER_STATE", "RIGGER_INVENTORY", "RIGGER_NODES_FILE", "RIGGER_MODULE_DIR")
BACKUP = "RIGGER_BACKUP_FILE"
TOLD = (
    *("RIGGER_INTERFACE", "RIGGER_ENVIRONMENT", "RIGGER_ENVIRONMENT_ID", "RIGGER_RUN", "RIGGER_STEP"),
    *("RIGGER_LEAVING", "RIGGER_FROM_VERSION", "RIGGER_PLATFORM_PORTS", "RIGGER_GONE"),
)
MOUNTS = "mounts"  # in the state of an instance: the folders that its manifest wants kept
_NOT_PASSED = ("PATH", "ORIGINAL_PATH", "HOME")  # of this machine


def variables(work: Work) -> dict[str, str]:
    """Return the variables of the container: the vars and secrets, those of the contract, and those of its command."""
    own = instance(work.module, work.name)
    start = f"{own.prefix}_"
    names = {question.name for question in own.questions} | {*own.vars, *own.outputs}
    for path in (work.values["RIGGER_VARS_FILE"], _beside(work, "secrets")):
        with suppress(OSError):
            names |= {*envfile.read(path)}
    names |= {name.removeprefix(start) for name in names if name.startswith(start)}
    names = (names | {*WRITTEN, *READ, BACKUP, *TOLD}).difference(_NOT_PASSED)
    passed = {name: work.values[name] for name in sorted(names) if name in work.values}
    passed["RIGGER_STATE_DIR"] = os.path.join(work.container.shared, work.name)
    for name, template in work.command.envs.items():
        passed[name] = templates.render(template, work.values, f"variable {name} of {work.verb}")
    return passed


def _beside(work: Work, name: str) -> str:
    return os.path.join(work.values["RIGGER_ENVIRONMENT_DIR"], name)


def bind(work: Work) -> list[str]:
    """Return the words that put files and folders into the container."""
    return [word for source, target, mode in _mounts(work) for word in ("-v", f"{source}:{target}:{mode}")]


def _mounts(work: Work) -> Iterator[tuple[str, str, str]]:
    values, container = work.values, work.container
    state = values["RIGGER_STATE_DIR"]
    yield os.path.dirname(state), container.shared, "rw"
    if short := work.module.labels.get("short", ""):
        if short != work.name:  # an image knows its folder by this name alone
            yield state, os.path.join(container.shared, short), "rw"
    for folder in container.mounts:
        kept = os.path.join(state, MOUNTS, folder.strip("/").replace("/", "-"))
        os.makedirs(kept, exist_ok=True)
        yield kept, folder, "rw"
    for name in WRITTEN:
        if path := values.get(name):
            with open(path, "ab"):
                yield path, path, "rw"
    for name in READ:
        if os.path.exists(path := values.get(name, "")):
            yield path, path, "ro"
    if path := values.get(BACKUP):
        folder = os.path.dirname(path)
        yield folder, folder, "rw"
