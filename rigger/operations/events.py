"""What happens in an environment, as a stream that goes on from where a reader left off."""

from __future__ import annotations

import codecs
import re
import time

from rigger.audit.events import RunStarted, StepFinished, StepStarted
from rigger.errors import BadUsage
from rigger.operations.logs import BLOCK, PAUSE
from rigger.operations.report import VERSION
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from rigger.audit.events import Record
    from rigger.environments.environment import Environment


@frozen
class Offset:
    """A place in the stream: behind a record of the audit log, and behind so many bytes of the log of the step under way."""

    record: int = 0
    bytes: int = 0

    def __str__(self) -> str:
        return f"{self.record}+{self.bytes}" if self.bytes else str(self.record)

    @classmethod
    def parse(cls, text: str) -> Offset:
        """Return the place that is written so; raises BadUsage for what is none."""
        found = re.fullmatch(r"([0-9]{1,12})(?:\+([0-9]{1,15}))?", text)
        if not found:
            raise BadUsage(f"--from {text!r} is no offset.", 'Give the last "offset" that was read, or 0.')
        return cls(int(found[1]), int(found[2] or 0))


def beginning(environment: Environment, run: str) -> Offset:
    """Return the place before the first record of a run."""
    records = environment.audit.records()
    return next(
        (Offset(r["seq"] - 1) for r in records if r["event"] == RunStarted.name and r["run"] == run), Offset()
    )


def events(environment: Environment, start: Offset) -> Iterator[dict[str, Any]]:
    """Yield what follows a place, in order: records, and after a step's start what it printed, block by block.

    Each has the `offset` behind it. It ends once all was told and nobody works on the environment.
    """
    environment.secrets()  # are masked from now on
    at, step = start, _step_at(environment.audit.records()[: start.record])
    while True:
        is_over = environment.lock.busy_since() is None  # looked at before what is read, so that all of it is
        for record in environment.audit.records()[at.record :]:
            ends = record["event"] in (StepFinished.name, StepStarted.name, RunStarted.name)
            for place, block in _blocks(environment, step, at, whole=ends):
                at = place
                yield block
            step = record if record["event"] == StepStarted.name else None if ends else step
            at = Offset(record["seq"], at.bytes if step and not ends else 0)
            yield {"version": VERSION, "offset": str(at), "type": "record", "record": record}
        for place, block in _blocks(environment, step, at, whole=is_over):
            at = place
            yield block
        if is_over:
            return
        time.sleep(PAUSE)


def _step_at(records: Sequence[Record]) -> Record | None:
    """Return the start of the step that is under way behind records, None where none is."""
    for record in reversed(records):
        if record["event"] == StepStarted.name:
            return record
        if record["event"] in (StepFinished.name, RunStarted.name):
            return None
    return None


def _blocks(
    environment: Environment, step: Record | None, at: Offset, whole: bool
) -> Iterator[tuple[Offset, dict[str, Any]]]:
    """Yield what a step printed from a place on, each with the place behind it; a character is never cut.

    `whole` takes the end as it is: nothing will follow.
    """
    if step is None:
        return
    about = {"run": step["run"], "number": step["number"], "module": step["module"], "step": step["step"]}
    try:
        with open(environment.file(step["log"]), "rb") as log:
            while True:
                log.seek(at.bytes)
                block = log.read(BLOCK)
                decoder = codecs.getincrementaldecoder("utf-8")("replace")
                text = decoder.decode(block, final=whole and len(block) < BLOCK)
                if not text:
                    return
                start, end = at.bytes, at.bytes + len(block) - len(decoder.getstate()[0])
                at = Offset(at.record, end)
                more = {"from": start, "to": end, "text": text}
                yield at, {"version": VERSION, "offset": str(at), "type": "log", **about, **more}
    except FileNotFoundError:
        return
