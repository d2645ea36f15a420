"""Which add-ons an environment has, what each of them gave, and whether it is applied."""

from __future__ import annotations

import json

from rigger.audit.events import (
    Destroyed,
    Event,
    ModuleAdded,
    ModuleRemoved,
    StepFinished,
    StepRecovered,
    StepStarted,
)
from rigger.values import field, frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

INITIALIZED, APPLIED, FAILED, DESTROYED = "initialized", "applied", "failed", "destroyed"
CHANGES = ("apply", "upgrade", "restore", "scale", "destroy")  # steps after which a module may be another


@frozen
class ModuleRecord:
    """What is recorded of one add-on."""

    name: str
    module: str = ""  # its own name, empty where nobody recorded that it was added
    version: str = ""
    sha256: str = ""
    status: str = INITIALIZED
    since: str = ""  # when it came to have that status
    problem: str = ""  # why it is failed, in a phrase
    output: str = "{}"  # what its last apply that succeeded gave, as JSON
    uses: Sequence[str] = ()  # nodes
    inputs: Mapping[str, str] = field(default_factory=dict)  # digests of what that apply read, by module
    proposed: Mapping[str, str] = field(default_factory=dict)  # what its `init` proposed last
    repository: str = ""  # the name of the repository that it came from

    def given(self) -> dict[str, Any]:
        """Return its output; nothing for one that cannot be read."""
        try:
            output = json.loads(self.output)
        except ValueError:
            return {}
        return output if isinstance(output, dict) else {}


class ModuleHistory:
    """The add-ons that were added and not removed, by name."""

    def __init__(self) -> None:
        self.modules: dict[str, ModuleRecord] = {}
        self._inputs: dict[str, Mapping[str, str]] = {}  # of the apply that began last

    def get(self, name: str) -> ModuleRecord:
        """Return what is recorded of an add-on; of one that somebody wrote into the vars file, that it is new."""
        return self.modules.get(name) or ModuleRecord(name)

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case ModuleAdded():
                self._add(event)
            case ModuleRemoved():
                self.modules.pop(event.instance, None)
            case StepStarted() if event.module.startswith("addon/") and event.step in CHANGES:
                self._start(event)
            case StepFinished() if event.module.startswith("addon/") and event.step in CHANGES:
                self._finish(event)
            case StepRecovered() if event.module.startswith("addon/") and event.step in CHANGES:
                self._fail(event, f"{event.step} was cut off in run {event.run}")
            case Destroyed():
                for name, record in self.modules.items():
                    if record.status != INITIALIZED:
                        self.modules[name] = _destroyed(record, event.time)

    def _add(self, event: ModuleAdded) -> None:
        before = self.get(event.instance)
        self.modules[event.instance] = replace(
            before,
            module=event.module,
            version=event.version,
            sha256=event.sha256,
            since=before.since or event.time,
            proposed=event.proposed,
            repository=event.repository,
        )

    def _start(self, event: StepStarted) -> None:
        """Count it as failed until it has ended well: a killed run must leave the truth."""
        name = event.module.partition("/")[2]
        if event.step == "apply":
            self._inputs[name] = event.inputs
        self._fail(event, f"{event.step} began in run {event.run} and has not ended")

    def _fail(self, event: StepStarted | StepFinished | StepRecovered, problem: str) -> None:
        name = event.module.partition("/")[2]
        self.modules[name] = replace(self.get(name), status=FAILED, since=event.time, problem=problem)

    def _finish(self, event: StepFinished) -> None:
        name = event.module.partition("/")[2]
        record = self.get(name)
        if event.exit_code != 0:
            how = "was interrupted" if event.interrupted else f"failed (exit {event.exit_code})"
            self._fail(event, f"{event.step} {how} in run {event.run}")
        elif event.step == "destroy":
            self.modules[name] = _destroyed(record, event.time)
        else:
            applied = event.step == "apply"
            self.modules[name] = replace(
                record,
                status=APPLIED,
                since=event.time,
                problem="",
                output=event.output or record.output,
                uses=tuple(event.uses) if event.output else record.uses,
                inputs=self._inputs.pop(name, {}) if applied else record.inputs,
            )


def _destroyed(record: ModuleRecord, time: str) -> ModuleRecord:
    return replace(record, status=DESTROYED, since=time, problem="", output="{}", uses=(), inputs={})
