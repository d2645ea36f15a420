"""Which steps ran, and how each ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rigger.audit.secrets import HIDDEN

# What a step takes away from the moment it starts: whatever those steps did counts as not done.
UNDOES = {"undeploy": ("platform/",), "destroy": ("provider/", "platform/")}


@dataclass
class Record:
    """What the audit log says about the last run of a step."""

    started: Mapping
    finished: Mapping | None = None

    @property
    def succeeded(self) -> bool:
        return self.finished is not None and self.finished.get("exit_code") == 0

    def outcome(self) -> str:
        """Return how it ended, in words that follow its name."""
        if self.finished is None:
            return f"was cut off in run {self.started['run']}"
        if self.finished.get("interrupted"):
            return f"was interrupted in run {self.started['run']}"
        return f"failed in run {self.started['run']} (exit {self.finished.get('exit_code')})"


@dataclass
class History:
    """The last run and the last success of every step since the cluster was last destroyed."""

    last: dict[str, Record] = field(default_factory=dict)
    done: dict[str, Record] = field(default_factory=dict)
    failed_checks: dict[str, Record] = field(default_factory=dict)  # by role, newer than what they check
    versions: dict[str, str] = field(default_factory=dict)  # rigger's, by run

    @classmethod
    def of(cls, records: Iterable[Mapping]) -> History:
        """Read the records of an audit log."""
        history = cls()
        open_steps: dict[tuple, Record] = {}
        for record in records:
            if record["event"] == "run-started":
                history.versions[record["run"]] = str(record.get("rigger", ""))
            elif record["event"] == "step-started":
                history._start(record, open_steps)
            elif record["event"] in ("step-finished", "step-recovered"):
                found = open_steps.pop((record["run"], record.get("number")), None)
                if found is not None and record["event"] == "step-finished":
                    history._finish(found, record)
            elif record["event"] in ("upgrade-finished", "upgrade-rolled-back"):
                history._upgrade(record["to"])
            elif record["event"] == "loaded":
                history._take_digests(record.get("digests", {}))
            elif record["event"] == "destroyed":
                history.last, history.done, history.failed_checks = {}, {}, {}
        return history

    def _start(self, record: Mapping, open_steps: dict) -> None:
        started = Record(record)
        self.last[_key(record)] = open_steps[record["run"], record.get("number")] = started
        if record["step"] in UNDOES:
            undone = UNDOES[record["step"]]
            self.done = {key: done for key, done in self.done.items() if not key.startswith(undone)}

    def _take_digests(self, digests: Mapping[str, str]) -> None:
        """Take secrets that were given again on another machine for the ones that the steps had."""
        for record in {id(r): r for r in [*self.last.values(), *self.done.values()]}.values():
            before = record.started.get("parameters", {})
            same = {n: d for n, d in digests.items() if str(before.get(n, "")).startswith(HIDDEN)}
            record.started = {**record.started, "parameters": {**before, **same}}

    def _upgrade(self, version: str) -> None:
        """Count what an upgrade did as done by `install`, `deploy` and `setup-clients`, which need not run for that version again."""
        for key, record in self.done.items():
            if key.startswith("platform/") and key.endswith(("/install", "/deploy", "/setup-clients")):
                parameters = {**record.started.get("parameters", {}), "VERSION": version}
                self.done[key] = Record({**record.started, "parameters": parameters}, record.finished)

    def _finish(self, record: Record, finished: Mapping) -> None:
        record.finished = finished
        role, _, _ = record.started["module"].partition("/")
        verb = record.started["step"]
        if verb == "check":
            if record.succeeded:
                self.failed_checks.pop(role, None)
            elif not finished.get("interrupted"):
                self.failed_checks[role] = record
        elif record.succeeded:
            self.done[_key(record.started)] = record
            if verb in ("create", "deploy"):
                self.failed_checks.pop(role, None)
            if verb == "create":  # the nodes that `scale` was about have left
                self.done = {key: done for key, done in self.done.items() if not key.endswith("/scale")}
                self.last.pop(f"{record.started['module']}/destroy", None)

    def ever_started(self, key: str) -> bool:
        return key in self.last

    def unfinished(self, key: str) -> Record | None:
        """Return the last run of a step if it did not succeed."""
        record = self.last.get(key)
        return record if record is not None and not record.succeeded else None


def _key(record: Mapping) -> str:
    return f"{record['module']}/{record['step']}"
