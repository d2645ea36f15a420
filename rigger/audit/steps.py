"""Which steps ran, and how each ended."""

from __future__ import annotations

from rigger.audit.events import (
    Destroyed,
    Event,
    Loaded,
    ModuleRemoved,
    RunStarted,
    StepFinished,
    StepRecovered,
    StepStarted,
    UpgradeFinished,
    UpgradeRolledBack,
)
from rigger.audit.secrets import is_hidden
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# What a step takes away from the moment it starts: whatever those steps did counts as not done.
UNDOES = {"undeploy": ("platform/",), "destroy": ("provider/", "platform/", "addon/")}
# What an upgrade does as well, so that it need not run for that version again.
UPGRADED = ("/install", "/deploy", "/setup-clients")
SKIPPED = 77  # the exit code by which a test says that it does not apply, as Automake's tests do


@frozen
class StepRun:
    """What the audit log says about one run of a step."""

    started: (
        StepStarted  # its parameters are those that count now: an upgrade or a new key may have changed them
    )
    finished: StepFinished | None = None

    @property
    def parameters(self) -> Mapping[str, str]:
        return self.started.parameters

    @property
    def succeeded(self) -> bool:
        return self.finished is not None and self.finished.exit_code == 0

    @property
    def skipped(self) -> bool:
        """Whether this was a test that said that it does not apply."""
        return self.finished is not None and is_skipped(self.finished)

    def outcome(self) -> str:
        """Return how it ended, in words that follow its name."""
        if self.finished is None:
            return f"was cut off in run {self.started.run}"
        if self.finished.interrupted:
            return f"was interrupted in run {self.started.run}"
        return f"failed in run {self.started.run} (exit {self.finished.exit_code})"

    def with_parameters(self, parameters: Mapping[str, str]) -> StepRun:
        return replace(self, started=self.started.with_values(parameters={**self.parameters, **parameters}))


def subject_of(module: str) -> str:
    """Return whom a check is about: the provider, the platform, or one add-on of several."""
    role = module.partition("/")[0]
    return module if role == "addon" else role


LOOKS_FOR_DIFFERENCES = ("audit", "plan")
DIFFERS = 8  # the exit code by which a script that looks for differences says that it found some


def finds_differences(step: str, exit_code: int) -> bool:
    """Return whether a step was one that looks for differences, and found some: it has not failed."""
    return exit_code == DIFFERS and step in LOOKS_FOR_DIFFERENCES


def is_skipped(finished: StepFinished) -> bool:
    """Return whether a step was a test that said that it does not apply."""
    return finished.exit_code == SKIPPED and "/" in finished.step


class StepHistory:
    """The last run and the last success of every step since the cluster was last destroyed."""

    def __init__(self) -> None:
        self.last: dict[str, StepRun] = {}
        self.done: dict[str, StepRun] = {}
        self.failed_checks: dict[str, StepRun] = {}  # by role, newer than what they check
        self.versions: dict[str, str] = {}  # rigger's, by run
        self.kept: dict[str, int] = {}  # by module: how many files its scripts had in their own folder
        self._open: dict[tuple[str, int], StepRun] = {}  # by run and number

    @property
    def open(self) -> list[StepStarted]:
        """Return the steps that began and neither ended nor were recovered: rigger was killed meanwhile."""
        return [run.started for run in self._open.values()]

    def ever_started(self, key: str) -> bool:
        return key in self.last

    def unfinished(self, key: str) -> StepRun | None:
        """Return the last run of a step if it did not succeed."""
        run = self.last.get(key)
        return run if run is not None and not run.succeeded else None

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case RunStarted():
                shown = {
                    each.started.run for runs in (self.last, self.done, self._open) for each in runs.values()
                }
                self.versions = {run: version for run, version in self.versions.items() if run in shown}
                self.versions[event.run] = event.rigger
            case StepStarted():
                self._start(event)
            case StepFinished():
                self.kept[event.module] = event.kept
                self._finish(event)
            case StepRecovered():
                self.kept[event.module] = event.kept
                self._open.pop((event.run, event.number), None)
            case UpgradeFinished() | UpgradeRolledBack():
                self._upgrade(event.to)
            case Loaded():
                self._take_digests(event.digests)
            case ModuleRemoved():
                start = f"addon/{event.instance}"
                self.last, self.done = (
                    {key: run for key, run in runs.items() if not key.startswith(f"{start}/")}
                    for runs in (self.last, self.done)
                )
                self.failed_checks.pop(start, None)
                self.kept.pop(start, None)
            case Destroyed():
                self.last, self.done, self.failed_checks, self.kept = {}, {}, {}, {}

    def _start(self, event: StepStarted) -> None:
        self.last[event.key] = self._open[event.run, event.number] = StepRun(event)
        if event.step in UNDOES:
            undone = (f"{event.module}/",) if event.module.startswith("addon/") else UNDOES[event.step]
            self.done = {key: run for key, run in self.done.items() if not key.startswith(undone)}

    def _finish(self, event: StepFinished) -> None:
        begun = self._open.pop((event.run, event.number), None)
        if begun is None:
            return
        run, key = replace(begun, finished=event), begun.started.key
        if key in self.last and self.last[key].started.seq == begun.started.seq:
            self.last[key] = run
        role = subject_of(begun.started.module)
        if begun.started.step == "check":
            self._check(role, run)
        elif run.succeeded:
            self.done[key] = run
            self._succeed(role, begun.started)

    def _check(self, role: str, run: StepRun) -> None:
        if run.succeeded:
            self.failed_checks.pop(role, None)
        elif run.finished and not run.finished.interrupted:
            self.failed_checks[role] = run

    def _succeed(self, role: str, started: StepStarted) -> None:
        if started.step in ("create", "deploy", "apply"):
            self.failed_checks.pop(role, None)
        if started.step in ("create", "apply"):
            self.last.pop(f"{started.module}/destroy", None)
        if started.step == "create":  # the nodes that `scale` was about have left
            self.done = {key: run for key, run in self.done.items() if not key.endswith("/scale")}

    def _upgrade(self, version: str) -> None:
        """Count what an upgrade did as done by the steps that bring a version."""
        for key, run in self.done.items():
            if key.startswith("platform/") and key.endswith(UPGRADED):
                self.done[key] = run.with_parameters({"VERSION": version})

    def _take_digests(self, digests: Mapping[str, str]) -> None:
        """Take secrets that were given again on another machine for the ones that the steps had."""
        for runs in (self.last, self.done, self._open):
            _give_digests(runs, digests)


def _give_digests(runs: dict[Any, StepRun], digests: Mapping[str, str]) -> None:
    for key, run in runs.items():
        before = run.parameters
        runs[key] = run.with_parameters(
            {name: new for name, new in digests.items() if is_hidden(before.get(name))}
        )
