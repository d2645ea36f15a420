"""The audit log: an append-only, hash-chained record of everything rigger did.

Each line of the file is one JSON object in ASCII, without blanks between its parts: `seq`, `time`, `run`,
`event`, then what the event needs, then `prev` and `hash`:

    {"seq":1,"time":"2026-11-20T21:44:00.123Z","run":"","event":"...","prev":"<64 hex>","hash":"<64 hex>"}

`hash` is the SHA-256, in lower-case hex, of the line's bytes before `,"hash":` followed by `}`; that is: cut
the line's last 75 bytes (`,"hash":"`, 64 digits, `"}`), append `}`, hash. `prev` is the `hash` of the line
before, 64 zeros in the first. `seq` counts from 1. Every line ends in one newline.

    previous = "0" * 64
    for number, line in enumerate(open("audit.jsonl", "rb").read().split(b"\\n")[:-1], 1):
        record, body = json.loads(line), line[:-75] + b"}"
        assert record["hash"] == hashlib.sha256(body).hexdigest()
        assert (record["seq"], record["prev"]) == (number, previous)
        previous = record["hash"]
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rigger.audit.events import Event, Repaired
from rigger.errors import InvalidConfig, NotReady
from rigger.files import sync_folder, unlink_if_there, write_all
from rigger.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = "0" * 64  # the `prev` of the first record
HASH_KEY = b',"hash":"'
TAIL = len(HASH_KEY) + 64 + len(b'"}')  # bytes
BLOCK = 64 * 1024  # bytes
OWN_MEMBERS = frozenset({"seq", "time", "run", "event", "prev", "hash"})


@frozen
class Verdict:
    """What `verify` found: `problems` are sentences, none when the log is what was written."""

    count: int
    head_hash: str
    problems: list[str]

    @property
    def ok(self) -> bool:
        return not self.problems


@frozen
class _End:
    """Where a log ends: its last whole record, and the size and identity of the file that holds it."""

    seq: int = 0
    hash: str = FIRST
    size: int = 0  # bytes, up to and with the last whole record's newline
    file: tuple[int, int] | None = None  # device and inode


class AuditLog:
    """An environment's audit log; `held` says whether the environment's lock is held, without which nothing is added."""

    def __init__(self, path: str, held: Callable[[], bool] | None = None):
        self.path = path
        self._held = held or (lambda: False)
        self._end = _End()
        self._read: list[dict[str, Any]] = []
        self._read_at: tuple[int, ...] | None = None

    def append(self, event: Event | str, run: str = "", **fields: Any) -> dict[str, Any]:
        """Write an event that belongs to a run, or to none, and return its record once it is on the disk.

        One that this rigger does not know is given by its name, with its fields.

        What a crash left of an unfinished line is first moved to `<path>.torn-<time>`, and a `repaired`
        record says so. Raises NotReady when the record cannot be written (a full disk); the file is then as
        it was before.
        """
        name, fields = (event.name, event.fields()) if isinstance(event, Event) else (event, fields)
        if not self._held():  # two writers at a time break the chain for good
            raise RuntimeError(f"{self.path}: {name} is recorded without the environment's lock")
        if clash := OWN_MEMBERS & fields.keys():
            raise ValueError(f"members of every record cannot be fields: {', '.join(sorted(clash))}")
        try:
            fd, created = self._open()
            try:
                end, torn = self._find_end(fd)
                if torn:
                    end = self._set_aside(fd, end, torn, run)
                end, record = _write(fd, end, name, run, fields)
                if created:
                    sync_folder(_folder_of(self.path))
            finally:
                os.close(fd)
        except OSError as error:
            raise NotReady(
                f"{self.path} cannot be written ({error.strerror}), so there is no record of "
                f'"{name}" and the action that it stands for was not started.',
                "Make room or correct the file's permissions, then run the same command again.",
            ) from error
        self._end = end
        return record

    def records(self) -> list[dict[str, Any]]:
        """All records, oldest first; [] when there is no log yet. An unfinished last line is no record.

        Raises InvalidConfig when another line is not a record.
        """
        state = self._state()
        if state is None or state != self._read_at:
            self._read, self._read_at = self._read_all(), state
        return list(self._read)

    def _state(self) -> tuple[int, ...] | None:
        """What tells whether the file changed since it was read: a command reads its log more than once."""
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

    def _read_all(self) -> list[dict[str, Any]]:
        lines = self._lines()
        if lines and _record(lines[-1]) is None:
            lines.pop()
        records = []
        for number, line in enumerate(lines, 1):
            record = _record(line)
            if record is None:
                raise self._damaged(number)
            records.append(record)
        return records

    def verify(self, head: tuple[int, str] | None = None) -> Verdict:
        """Check the whole chain, and that it contains `head` (count and hash, from the time it was noted).

        Without `head` nobody can tell that whole records were cut off the end.
        """
        problems: list[str] = []
        hashes: list[str] = []
        previous = FIRST
        for number, line in enumerate(self._lines(), 1):
            record = _record(line)
            if record is None:
                problems.append(f"line {number} is not a whole record")
                previous = ""
                continue
            problems += _faults(number, line, record, previous)
            previous = record["hash"]
            hashes.append(previous)
        if head is not None:
            problems += _faults_of_head(head, hashes)
        return Verdict(len(hashes), hashes[-1] if hashes else FIRST, problems)

    def head(self) -> tuple[int, str]:
        """How many records there are, and the last one's hash; (0, 64 zeros) when there is no log yet."""
        try:
            with open(self.path, "rb") as log:
                end, _ = self._find_end(log.fileno())
        except FileNotFoundError:
            return 0, FIRST
        except OSError as error:
            raise self._unreadable(error) from error
        return end.seq, end.hash

    def _open(self) -> tuple[int, bool]:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        try:
            return os.open(self.path, flags), False
        except FileNotFoundError:
            return os.open(self.path, flags | os.O_CREAT, 0o600), True

    def _find_end(self, fd: int) -> tuple[_End, bytes]:
        """The log's end, and what stands after it: the torn line of a crash, or nothing."""
        status = os.fstat(fd)
        file = status.st_dev, status.st_ino
        if self._end.file == file and self._end.size == status.st_size:
            return self._end, b""
        lines, torn = _last_lines(fd, status.st_size), b""
        if lines and _record(lines[-1]) is None:
            torn = lines.pop()
        size = status.st_size - len(torn)
        if not lines:
            return _End(size=size, file=file), torn
        last = _record(lines[-1])
        if last is None:
            raise self._damaged(None)
        return _End(last["seq"], last["hash"], size, file), torn

    def _set_aside(self, fd: int, end: _End, torn: bytes, run: str) -> _End:
        """Move a torn line to a file of its own and say so in the log."""
        aside = _new_file(f"{self.path}.torn-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}", torn)
        os.ftruncate(fd, end.size)
        digest = hashlib.sha256(torn).hexdigest()
        event = Repaired(torn_file=os.path.basename(aside), torn_size=len(torn), torn_sha256=digest)
        return _write(fd, end, event.name, run, event.fields())[0]

    def _lines(self) -> list[bytes]:
        """The file's lines with their newlines, as far as they have one."""
        try:
            with open(self.path, "rb") as log:
                return _split(log.read())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> InvalidConfig:
        return InvalidConfig(f"{self.path} cannot be read: {error.strerror}.")

    def _damaged(self, line: int | None) -> InvalidConfig:
        where = f"line {line}" if line else "the end"
        return InvalidConfig(
            f"{self.path} is damaged: {where} is not what rigger wrote.",
            'Run "rigger audit" to see all that is wrong with it, and restore the file from a backup.',
        )


def _write(fd: int, end: _End, event: str, run: str, fields: dict[str, Any]) -> tuple[_End, dict[str, Any]]:
    record: dict[str, Any] = {"seq": end.seq + 1, "time": _now(), "run": run, "event": event}
    record |= {**fields, "prev": end.hash}
    body = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    record["hash"] = hashlib.sha256(body).hexdigest()
    line = body[:-1] + HASH_KEY + record["hash"].encode("ascii") + b'"}\n'
    try:
        write_all(fd, line)
        os.fsync(fd)
    except BaseException:
        with suppress(OSError):
            os.ftruncate(fd, end.size)
        raise
    return _End(record["seq"], record["hash"], end.size + len(line), end.file), record


def _now() -> str:
    """The time in UTC with milliseconds, as RFC 3339 writes it."""
    milliseconds = time.time_ns() // 1_000_000
    seconds, rest = divmod(milliseconds, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03d}Z"


def _record(line: bytes) -> dict[str, Any] | None:
    """What a line records; None when it is not a whole record. Its hash may still be wrong."""
    if not line.endswith(b'"}\n') or line[-TAIL - 1 : -TAIL - 1 + len(HASH_KEY)] != HASH_KEY:
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(record, dict) and OWN_MEMBERS <= record.keys()
    return record if whole and isinstance(record["seq"], int) and isinstance(record["hash"], str) else None


def _faults(number: int, line: bytes, record: dict[str, Any], previous: str) -> list[str]:
    faults = []
    stated = line[-1 - len(b'"}') - 64 : -1 - len(b'"}')]
    computed = hashlib.sha256(line[: -TAIL - 1] + b"}").hexdigest().encode("ascii")
    if computed != stated:
        faults.append(f"line {number} is not what was written: its hash is wrong")
    if record["seq"] != number:
        faults.append(f"line {number} holds record {record['seq']}")
    if record["prev"] != previous:
        faults.append(f"line {number} does not follow the line before it")
    return faults


def _faults_of_head(head: tuple[int, str], hashes: list[str]) -> list[str]:
    count, hash = head
    if count > len(hashes):
        return [f"{count - len(hashes)} records are missing at the end: there were {count}"]
    if (hashes[count - 1] if count else FIRST) != hash:
        return [f"record {count} is not the one whose hash was noted elsewhere"]
    return []


def _split(content: bytes) -> list[bytes]:
    # Not splitlines(), which takes a carriage return for a line's end.
    *whole, rest = content.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def _last_lines(fd: int, size: int) -> list[bytes]:
    """The last two lines at least, of a file that is so long, without reading it all."""
    content, start = b"", size
    while start and content.count(b"\n") < 3:
        step = min(BLOCK, start)
        start -= step
        content = os.pread(fd, step, start) + content
    lines = _split(content)
    return lines if not start else lines[1:]


def _new_file(path: str, content: bytes) -> str:
    """Write content to a file that did not exist, on the disk; its path, with a number where taken."""
    name, number = path, 1
    while True:
        try:
            fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            break
        except FileExistsError:
            number += 1
            name = f"{path}-{number}"
    try:
        write_all(fd, content)
        os.fsync(fd)
    except BaseException:
        with suppress(OSError):
            unlink_if_there(name)
        raise
    finally:
        os.close(fd)
    sync_folder(_folder_of(name))
    return name


def _folder_of(path: str) -> str:
    return os.path.dirname(path) or "."
