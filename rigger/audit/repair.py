"""What of a damaged audit log can still be proved, and the log that goes on from there.

The records up to the first fault are proved by their chain. So are those that lead up to the head that is kept beside
the log (without one, to the last line), though what stood before them is lost: they are recorded again, `kept_from`
naming what they were. What is neither is lost, and the new log says which lines those were.
"""

from __future__ import annotations

from rigger.audit.events import Repaired
from rigger.audit.head import FIRST, Head
from rigger.audit.lines import OWN_MEMBERS, faults, faults_of_head, has_its_hash, record_of, render
from rigger.sha256 import sha256
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


@frozen
class Salvage:
    """A damaged log: lines that stay as they are, records that follow a gap, and in a sentence each what is lost."""

    lines: tuple[bytes, ...]
    again: tuple[dict[str, Any], ...]
    lost: tuple[str, ...]

    def content(self, damaged: bytes, file: str) -> tuple[bytes, Head]:
        """Return the log that goes on from there, and its head; `file` is the name under which the damaged one is kept."""
        event = Repaired(damaged_file=file, damaged_sha256=sha256(damaged).hexdigest(), lost=list(self.lost))
        last = record_of(self.lines[-1]) if self.lines else None
        head = Head(last["seq"], last["hash"]) if last else Head()
        record, line = render(head, event.name, "", event.fields())
        lines = [*self.lines, line]
        for old in self.again:
            fields = {name: value for name, value in old.items() if name not in OWN_MEMBERS}
            fields["kept_from"] = str(Head(old["seq"], old["hash"]))
            after = Head(record["seq"], record["hash"])
            record, line = render(after, old["event"], old["run"], fields, old["time"])
            lines.append(line)
        return b"".join(lines), Head(record["seq"], record["hash"])


def salvage(lines: Sequence[bytes], kept: Head | None) -> Salvage:
    """Return what can be kept of a log's lines; `kept` is the head beside it, None where none was kept."""
    whole = _chained(lines)
    start, again = _leading_to(lines, whole, kept)
    end = start + len(again)
    lost = [f"line {n + 1} of the damaged file" for n in range(whole, len(lines)) if not start <= n < end]
    if again:
        missing = again[0]["seq"] - 1 - start
        lost += [f"{missing} records before record {again[0]['seq']}"] if missing > 0 else []
    elif kept:
        hashes = [record["hash"] for record in map(record_of, lines[:whole]) if record]
        lost += faults_of_head(kept, hashes, "was kept beside the log")
    elif not lines:
        lost = ["all records: there is no log"]
    return Salvage(tuple(lines[:whole]), tuple(again), tuple(lost))


def _chained(lines: Sequence[bytes]) -> int:
    """Return how many lines are what was written, from the first on."""
    previous = FIRST
    for number, line in enumerate(lines, 1):
        record = record_of(line)
        if record is None or faults(number, line, record, previous):
            return number - 1
        previous = record["hash"]
    return len(lines)


def _leading_to(lines: Sequence[bytes], whole: int, kept: Head | None) -> tuple[int, list[dict[str, Any]]]:
    """Return the records after the first fault that are chained and lead to the head, and the index of the first."""
    end = len(lines)
    if end > whole and record_of(lines[-1]) is None:  # what a crash left of a line
        end -= 1
    before = {record["hash"] for record in map(record_of, lines[:whole]) if record}
    found: list[dict[str, Any]] = []
    for line in reversed(lines[whole:end]):
        record = record_of(line)
        if record is None or not has_its_hash(line) or record["hash"] in before:
            break
        if found and (found[0]["prev"], found[0]["seq"]) != (record["hash"], record["seq"] + 1):
            break
        found.insert(0, record)
    heads = [
        Head(record["seq"], record["hash"]) for record in found[-2:]
    ]  # a crash leaves the head one behind
    found = found if kept is None or kept in heads else []
    return end - len(found), found
