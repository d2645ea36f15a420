"""The records of an audit log after one that is known, read without what stands before."""

from __future__ import annotations

import os

from rigger.audit.head import HeadFile, Place
from rigger.audit.lines import faults, faults_of_head, has_its_hash, record_of, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BLOCK = 64 * 1024  # bytes


def records_after(path: str, kept: HeadFile, place: Place) -> list[dict[str, Any]] | None:
    """Return the records after a place, chained to it and to the head beside the log; None where that cannot be proved."""
    try:
        with open(path, "rb") as log:
            if not 0 < place.size <= os.fstat(log.fileno()).st_size:
                return None
            for _ in range(5):
                head = kept.read()
                before, lines = last_lines(log.fileno(), place.size), _lines_from(log.fileno(), place.size)
                if kept.read() == head:  # else somebody is writing
                    break
            else:
                return None
    except OSError:
        return None
    last = record_of(before[-1]) if before else None
    if last is None or (last["seq"], last["hash"]) != (place.head.count, place.head.hash):
        return None
    records = _chained(lines, place) if has_its_hash(before[-1]) else None
    if records is None or head is None or head.count < place.head.count:
        return None
    hashes = [place.head.hash, *(record["hash"] for record in records)]
    beyond = type(head)(head.count - place.head.count + 1, head.hash)
    return None if faults_of_head(beyond, hashes, "") else records


def record_at(path: str, number: int) -> dict[str, Any] | None:
    """Return the record of a number, looked for by halves; None where the log has none, or not what was written."""
    with open(path, "rb") as log:
        low, high = 0, os.fstat(log.fileno()).st_size  # its line begins between
        while low < high:
            middle = (low + high) // 2
            log.seek(max(middle - 1, 0))
            begin = middle - 1 + len(log.readline()) if middle else 0
            line = log.readline() if begin < high else b""
            record = record_of(line)
            if record is None or record["seq"] > number:
                high = middle
            elif record["seq"] < number:
                low = begin + len(line)
            else:
                return record if has_its_hash(line) else None
    return None


def _chained(lines: list[bytes], place: Place) -> list[dict[str, Any]] | None:
    """Return the records of lines, each of which follows the one before it; None where one does not."""
    if lines and record_of(lines[-1]) is None:
        lines = lines[:-1]  # what a crash left of a line
    records, previous = [], place.head.hash
    for number, line in enumerate(lines, place.head.count + 1):
        record = record_of(line)
        if record is None or faults(number, line, record, previous):
            return None
        records.append(record)
        previous = record["hash"]
    return records


def _lines_from(fd: int, start: int) -> list[bytes]:
    content = bytearray()
    while block := os.pread(fd, 1 << 20, start + len(content)):
        content += block
    return split(bytes(content))


def last_lines(fd: int, size: int) -> list[bytes]:
    """The last two lines at least, of the first `size` bytes of a file, without reading them all."""
    content, start = b"", size
    while start and content.count(b"\n") < 3:
        step = min(BLOCK, start)
        start -= step
        content = os.pread(fd, step, start) + content
    lines = split(content)
    return lines if not start else lines[1:]
