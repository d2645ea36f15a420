"""What is claimed of a run, worked out of the audit log alone: the same records always come to the same statement.

The predicate is SLSA's provenance, version 1: https://slsa.dev/spec/v1.0/provenance. What it calls a build is a run here.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from rigger.attestations.statement import Resource, statement
from rigger.audit.events import (
    HookStarted,
    LogsMasked,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    parse,
)
from rigger.audit.head import Head
from rigger.audit.secrets import is_hidden
from rigger.audit.state import ClusterState
from rigger.errors import BadUsage
from rigger.releases.names import EVERY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from rigger.attestations.statement import Statement
    from rigger.audit.events import Event, Record

PREDICATE = "https://slsa.dev/provenance/v1"
RUN = (
    "urn:rigger:run:v1"  # the type of what was done; what its parameters mean is on the manual's page "prove"
)
SCRIPT, FOLDER = "riggerScript", "riggerFolder"  # digests that are not of one file's bytes: see there, too
IMAGE = re.compile(r"(?P<name>[A-Za-z0-9][!-?A-~]{0,1000})@sha256:(?P<digest>[0-9a-f]{64})")


def until_end_of(records: Sequence[Record], run: str) -> Sequence[Record]:
    """Return the records up to the last one of a run."""
    return records[: max(number for number, record in enumerate(records, 1) if record["run"] == run)]


def provenance(records: Sequence[Record], run: str) -> Statement:
    """Return the statement about a run that the last of these records is of; raises BadUsage for one that has not ended."""
    events = [parse(record) for record in records if record["run"] == run]
    started = next(event for event in events if isinstance(event, RunStarted))
    finished = next((event for event in reversed(events) if isinstance(event, RunFinished)), None)
    if finished is None:
        raise BadUsage(
            f"{run} has not ended: it is under way, or was cut off.", "A run that ended can be proved."
        )
    last = records[-1]
    head = Resource(
        f"rigger environment {started.id}", {"sha256": last["hash"]}, annotations={"record": last["seq"]}
    )
    state = ClusterState.of(records)
    predicate = {
        "buildDefinition": {
            "buildType": RUN,
            "externalParameters": _asked(started, events),
            "internalParameters": _around(started, events, records),
            "resolvedDependencies": [one.as_dict() for one in _materials(started, events, state)],
        },
        "runDetails": {
            "builder": {"id": f"urn:rigger:by:{quote(started.by)}", "version": {"rigger": started.rigger}},
            "metadata": {
                "invocationId": run,
                "startedOn": started.time,
                "finishedOn": finished.time,
                "rigger_outcome": finished.outcome,
            },
            "byproducts": [one.as_dict() for one in _logs(events)],
        },
    }
    return statement([head, *_images(events)], PREDICATE, predicate)


def head_of(said: Statement) -> Head | None:
    """Return the head that a statement is about, None where it is about something else than a run of rigger."""
    try:
        subject = said["subject"][0]
        head = Head(subject["annotations"]["record"], subject["digest"]["sha256"])
        ours = said["predicate"]["buildDefinition"]["buildType"] == RUN and said["predicateType"] == PREDICATE
        return Head.parse(str(head)) if ours else None
    except (KeyError, TypeError):
        return None


def run_of(said: Statement) -> str:
    """Return the run that a statement of rigger's is about."""
    try:
        run = said["predicate"]["runDetails"]["metadata"]["invocationId"]
    except (KeyError, TypeError):
        return ""
    return run if isinstance(run, str) else ""


def _asked(started: RunStarted, events: Sequence[Event]) -> dict[str, Any]:
    """Return what people asked for; a secret is there as its digest under the environment's own key."""
    values: dict[str, str] = {}
    for event in events:
        if isinstance(event, StepStarted):
            values.update(event.parameters)
    return {
        "command": started.command,
        "version": started.version,
        "values": {name: value for name, value in values.items() if not is_hidden(value)},
        "secrets": {name: f"hmac-sha256:{value[3:]}" for name, value in values.items() if is_hidden(value)},
    }


def _around(started: RunStarted, events: Sequence[Event], records: Sequence[Record]) -> dict[str, Any]:
    """Return who, for whom and why, from which head on, and how each step ended."""
    first = next(record for record in records if record["seq"] == started.seq)
    steps = [
        {"module": event.module, "step": event.step, "exit_code": event.exit_code}
        for event in events
        if isinstance(event, StepFinished)
    ]
    known = {"by": started.by, "actor": started.actor, "reason": started.reason, "request": started.request}
    return {
        "environment": started.id,
        "began_after": str(Head(first["seq"] - 1, first["prev"])),
        **{name: value for name, value in known.items() if value},
        "steps": steps,
    }


def _materials(started: RunStarted, events: Sequence[Event], state: ClusterState) -> Iterator[Resource]:
    """Yield what went into a run: modules, the platform's commit, scripts and hooks."""
    for role, name, told in (
        ("provider", started.provider, started.provider_is),
        ("platform", started.platform, started.platform_is),
    ):
        if told.get("sha256"):
            notes = {key: told[key] for key in ("origin", "interface", "version") if told.get(key)}
            yield Resource(f"{role}/{name}", {FOLDER: told["sha256"]}, annotations=notes)
    if started.commit:
        url = state.values.get("REPOSITORY") or ""
        dirty = {"changed_files": True} if started.dirty else {}
        yield Resource("repository", {"gitCommit": started.commit}, f"git+{url}" if url else "", dirty)
    used = {event.module for event in events if isinstance(event, StepStarted)}
    for name, addon in state.modules.modules.items():
        if f"addon/{name}" in used and addon.sha256:
            yield Resource(f"addon/{name}", {FOLDER: addon.sha256}, annotations={"version": addon.version})
    yield from _scripts(events)


def _scripts(events: Sequence[Event]) -> Iterator[Resource]:
    seen = set()
    for event in events:
        if isinstance(event, StepStarted) and (event.key, event.sha256, event.shared) not in seen:
            seen.add((event.key, event.sha256, event.shared))
            shared = {"shared": event.shared} if event.shared else {}
            yield Resource(event.key, {SCRIPT: event.sha256}, annotations=shared)
        if isinstance(event, HookStarted) and (event.script, event.sha256, "") not in seen:
            seen.add((event.script, event.sha256, ""))
            yield Resource(f"hook/{event.hook}", {"sha256": event.sha256})


def _logs(events: Sequence[Event]) -> Iterator[Resource]:
    """Yield the logs of the steps, as they are now that secrets which became known later are masked in them."""
    masked: dict[str, str] = {}
    for event in events:
        if isinstance(event, LogsMasked):
            masked |= {row[0]: row[2] for row in event.logs}
    begun = {(event.number, event.step): event.log for event in events if isinstance(event, StepStarted)}
    for event in events:
        if isinstance(event, StepFinished) and event.log_sha256:
            log = begun.get((event.number, event.step), "")
            yield Resource(log, {"sha256": masked.get(log.rpartition("/")[2], event.log_sha256)})


def _images(events: Sequence[Event]) -> Iterator[Resource]:
    """Yield the images that steps had by their digest, where a release was brought to the environment."""
    found: dict[str, str] = {}
    for event in events:
        if isinstance(event, StepStarted):
            for text in _uris(event.parameters):
                if image := IMAGE.fullmatch(text):
                    found[text] = image["digest"]
    for uri, digest in sorted(found.items()):
        yield Resource(uri.partition("@")[0], {"sha256": digest}, uri=f"oci://{uri}")


def _uris(parameters: Mapping[str, str]) -> Iterator[str]:
    for name, value in parameters.items():
        if re.search(r"(^|_)IMAGE_[A-Z0-9_]+$", name):  # of an add-on there is its prefix before
            yield value
        elif name == EVERY or name.endswith(f"_{EVERY}"):
            try:
                images = json.loads(value)
            except (ValueError, RecursionError):
                continue
            yield from filter(
                lambda uri: isinstance(uri, str), images.values() if isinstance(images, dict) else ()
            )
