"""A record of the audit log and the line that it is; `log.py` says how a line looks."""

from __future__ import annotations

import json
import time

from rigger.audit.head import FIRST, Head
from rigger.sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HASH_KEY = b',"hash":"'
TAIL = len(HASH_KEY) + 64 + len(b'"}')  # bytes
OWN_MEMBERS = frozenset({"seq", "time", "run", "event", "prev", "hash"})


def render(
    after: Head, event: str, run: str, fields: dict[str, Any], moment: str = ""
) -> tuple[dict[str, Any], bytes]:
    """Return the record that follows a head, and its line; of this moment, if no other is named."""
    record: dict[str, Any] = {"seq": after.count + 1, "time": moment or now(), "run": run, "event": event}
    record |= {**fields, "prev": after.hash}
    body = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    record["hash"] = sha256(body).hexdigest()
    return record, body[:-1] + HASH_KEY + record["hash"].encode("ascii") + b'"}\n'


def now() -> str:
    """Return the time in UTC with milliseconds, as RFC 3339 writes it."""
    milliseconds = time.time_ns() // 1_000_000
    seconds, rest = divmod(milliseconds, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03d}Z"


def record_of(line: bytes) -> dict[str, Any] | None:
    """Return what a line records; None when it is not a whole record. Its hash may still be wrong."""
    if not line.endswith(b'"}\n') or line[-TAIL - 1 : -TAIL - 1 + len(HASH_KEY)] != HASH_KEY:
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(record, dict) and OWN_MEMBERS <= record.keys()
    return record if whole and isinstance(record["seq"], int) and isinstance(record["hash"], str) else None


def has_its_hash(line: bytes) -> bool:
    """Return whether a whole record is what was written, as far as its own hash tells."""
    stated = line[-1 - len(b'"}') - 64 : -1 - len(b'"}')]
    return sha256(line[: -TAIL - 1] + b"}").hexdigest().encode("ascii") == stated


def follows(record: dict[str, Any], previous: str) -> bool:
    """Return whether a record that was read is what was written, after the one of that hash."""
    said = {name: value for name, value in record.items() if name != "hash"}
    body = json.dumps(said, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return bool(record["prev"] == previous and sha256(body).hexdigest() == record["hash"])


def faults(number: int, line: bytes, record: dict[str, Any], previous: str) -> list[str]:
    """Return in sentences what is wrong with a line that should have this number and follow this hash."""
    found = []
    if not has_its_hash(line):
        found.append(f"line {number} is not what was written: its hash is wrong")
    if record["seq"] != number:
        found.append(f"line {number} holds record {record['seq']}")
    if record["prev"] != previous:
        found.append(f"line {number} does not follow the line before it")
    return found


def faults_of_head(head: Head, hashes: list[str], noted: str) -> list[str]:
    """Return in a sentence what is wrong with a log, by its hashes, that once ended in a head; `noted` says where."""
    if head.count > len(hashes):
        gone = head.count - len(hashes)
        gone_is = "1 record is" if gone == 1 else f"{gone} records are"
        return [f"{gone_is} missing at the end: there were {head.count}"]
    if (hashes[head.count - 1] if head.count else FIRST) != head.hash:
        return [f"record {head.count} is not the one whose hash {noted}"]
    return []


def split(content: bytes) -> list[bytes]:
    """Return the lines with their newlines, as far as they have one."""
    # Not splitlines(), which takes a carriage return for a line's end.
    *whole, rest = content.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])
