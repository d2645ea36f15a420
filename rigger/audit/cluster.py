"""Which cluster the audit log says was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MODULES = ("PLATFORM", "PROVIDER")
LOOKS = ("check", "plan", "audit")  # scripts that make nothing, also where there is nothing


@dataclass(frozen=True)
class RecordedCluster:
    """What a cluster that exists was made as, by the audit log; empty where an older rigger did not record it."""

    modules: Mapping[str, frozenset[str]]  # PROVIDER and PLATFORM: the names that their manifests say
    ids: frozenset[str]
    id: str  # the last of them
    answers: Mapping[str, str]  # of the last step, secrets apart


def recorded_cluster(records: Iterable[Mapping]) -> RecordedCluster | None:
    """Return what a cluster was made as, None where nothing is recorded of one."""
    run: Mapping = {}
    runs: list[Mapping] = []
    answers: Mapping[str, str] = {}
    version = ""
    for record in records:
        if record["event"] == "run-started":
            run = record
            runs += [run] if runs else []
        elif record["event"] == "step-started" and record["step"] not in LOOKS:
            runs = runs or [run]
            answers = record.get("parameters", {})
            version = version if record.get("command") == "upgrade" else answers.get("VERSION", "")
        elif record["event"] == "upgrade-started" and not record.get("rollback"):
            version = record["from"]  # the vars say the new one only when the cluster runs it
        elif record["event"] in ("upgrade-finished", "upgrade-rolled-back"):
            version = record["to"]
        elif record["event"] == "destroyed":
            runs, answers, version = [], {}, ""
    if not runs:
        return None
    ids = [run["id"] for run in runs if run.get("id")]
    plain = {name: value for name, value in answers.items() if not value.startswith("***")}
    return RecordedCluster(
        {name: frozenset(run[name.lower()] for run in runs if run.get(name.lower())) for name in MODULES},
        frozenset(ids),
        ids[-1] if ids else "",
        {**plain, "VERSION": version} if version else plain,
    )
