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

import os
import time
from contextlib import suppress

from rigger.audit.events import Event, Repaired
from rigger.audit.head import FIRST, REPAIRS, Head, HeadFile, Place
from rigger.audit.lines import OWN_MEMBERS, faults, faults_of_head, record_of, render, split
from rigger.audit.tail import last_lines, record_at, records_after
from rigger.errors import InvalidConfig, NotReady
from rigger.files import sync_folder, unlink_if_there, write_all, write_bytes
from rigger.later import later
from rigger.sha256 import sha256
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rigger.audit import repair
else:
    repair = later("rigger.audit.repair")


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
    prev: str = ""  # the hash before

    @property
    def head(self) -> Head:
        return Head(self.seq, self.hash)


class AuditLog:
    """An environment's audit log, and its head beside it.

    `held` says whether the environment's lock is held, without which nothing is added; `traces` says what else there is
    that cannot be there without a record, nothing where there is nothing. `repairs` is what to do about a damaged one.
    """

    def __init__(
        self,
        path: str,
        held: Callable[[], bool] | None = None,
        traces: Callable[[], str] | None = None,
        repairs: str = REPAIRS,
    ):
        self.path = path
        self.kept = HeadFile(f"{path.removesuffix('.jsonl')}.head", repairs)
        self._repairs = repairs
        self._held = held or (lambda: False)
        self._traces = traces or (lambda: "")
        self._end = _End()
        self._read: list[dict[str, Any]] = []
        self._read_at: tuple[int, ...] | None = None

    def append(self, event: Event | str, run: str = "", **fields: Any) -> dict[str, Any]:
        """Write an event that belongs to a run, or to none, and return its record once it is on the disk.

        One that this rigger does not know is given by its name, with its fields.

        What a crash left of an unfinished line is first moved to `<path>.torn-<time>`, and a `repaired`
        record says so. Raises NotReady when the record cannot be written (a full disk); the file is then as
        it was before. Raises InvalidConfig for a log that is not what was written.
        """
        name, fields = (event.name, event.fields()) if isinstance(event, Event) else (event, fields)
        self._require_held(name)
        if clash := OWN_MEMBERS & fields.keys():
            raise ValueError(f"members of every record cannot be fields: {', '.join(sorted(clash))}")
        try:
            fd = self._open()
            try:
                end, torn = self._find_end(fd)
                if end is not self._end:
                    self._require_head(end)
                if torn:
                    end = self._set_aside(fd, end, torn, run)
                self._end, record = self._write(fd, end, name, run, fields)
            finally:
                os.close(fd)
        except OSError as error:
            raise NotReady(
                f"{self.path} cannot be written ({error.strerror}), so there is no record of "
                f'"{name}" and the action that it stands for was not started.',
                "Make room or correct the file's permissions, then run the same command again.",
            ) from error
        return record

    def _require_held(self, what: str) -> None:
        if not self._held():  # two writers at a time break the chain for good
            raise ValueError(f"{self.path}: {what} is recorded without the environment's lock")

    def _require_head(self, end: _End) -> None:
        """Raise InvalidConfig for a log that does not end in its head; bring up one that a crash left behind."""
        kept = self.kept.read()
        if kept is not None and kept == Head(end.seq - 1, end.prev):
            self.kept.write(end.head)
        elif kept not in (None, end.head) or not end.seq and self._missing(None, []):
            self._require_whole()

    def _require_whole(self) -> None:
        if problems := self.verify().problems:
            raise InvalidConfig(f"{self.path} is not what rigger wrote: {problems[0]}.", self._repairs)

    def records(self) -> list[dict[str, Any]]:
        """All records, oldest first; [] when there is no log yet. An unfinished last line is no record.

        Raises InvalidConfig when another line is not a record.
        """
        state = self.state()
        if state is None or state != self._read_at:
            self._read, self._read_at = self._read_all(), state
        return list(self._read)

    def hash_of(self, number: int) -> str:
        """Return the hash of the record of a number; nothing where there is none. Costs the same however long the log is."""
        try:
            record = record_at(self.path, number)
        except OSError:
            return ""
        return record["hash"] if record else ""

    def after(self, place: Place) -> list[dict[str, Any]] | None:
        """Return the records after a place of the log, chained to it and to the head; None where they are not."""
        return records_after(self.path, self.kept, place)

    def state(self) -> tuple[int, ...] | None:
        """What tells whether the file changed since it was read: a command reads its log more than once."""
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

    def _read_all(self) -> list[dict[str, Any]]:
        kept, lines, _ = self._seen()
        if lines and record_of(lines[-1]) is None:
            lines.pop()
        records = []
        for number, line in enumerate(lines, 1):
            record = record_of(line)
            if record is None:
                raise self._damaged(number)
            records.append(record)
        if self._missing(kept, [record["hash"] for record in records]):
            self._require_whole()
        return records

    def _missing(self, kept: Head | None, hashes: list[str]) -> list[str]:
        """Return in sentences what is gone of a log that has these hashes."""
        if not hashes and (traces := self._traces()):
            return [f"there is no record, although there are {traces}"]
        return faults_of_head(kept, hashes, "was kept beside it") if kept else []

    def _seen(self) -> tuple[Head | None, list[bytes], bool]:
        """Return the head and the lines of one moment, and whether they are: somebody may be writing."""
        for _ in range(5):
            kept, lines = self.kept.read(), self._lines()
            if self.kept.read() == kept:
                return kept, lines, True
        return kept, lines, False  # the lines are newer

    def verify(self, head: tuple[int, str] | None = None) -> Verdict:
        """Check the whole chain, and that it contains the head beside it, and `head`, from the time it was noted."""
        problems: list[str] = []
        hashes: list[str] = []
        previous = FIRST
        try:
            kept, lines, settled = self._seen()
        except InvalidConfig as problem:
            if not os.path.exists(self.kept.path):
                raise
            problems.append(problem.message.removesuffix("."))
            kept, lines, settled = None, self._lines(), False
        for number, line in enumerate(lines, 1):
            record = record_of(line)
            if record is None:
                problems.append(f"line {number} is not a whole record")
                previous = ""
                continue
            problems += faults(number, line, record, previous)
            previous = record["hash"]
            hashes.append(previous)
        problems += self._missing(kept, hashes)
        if kept and settled and len(hashes) > kept.count + 1:
            problems.append(f"{len(hashes) - kept.count} records were added without keeping the head")
        if head is not None:
            problems += faults_of_head(Head(*head), hashes, "was noted elsewhere")
        return Verdict(len(hashes), hashes[-1] if hashes else FIRST, problems)

    def salvage(self) -> repair.Salvage:
        """Return what `repair` would keep, and what is lost."""
        try:
            kept = self.kept.read()
        except InvalidConfig:
            kept = None
        return repair.salvage(self._lines(), kept)

    def repair(self) -> str:
        """Go on with what can be proved; the log as it was is kept in a file beside it, whose name this returns.

        The name is empty where there was no log.
        """
        self._require_held("repaired")
        found, damaged = self.salvage(), b"".join(self._lines())
        try:
            moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            aside = os.path.basename(_new_file(f"{self.path}.damaged-{moment}", damaged)) if damaged else ""
        except OSError as error:
            raise NotReady(
                f"{self.path} was not repaired: {error.strerror}.", "Make room, and try again."
            ) from error
        content, head = found.content(damaged, aside)
        write_bytes(self.path, content)
        write_bytes(self.kept.path, f"{head}\n".encode())
        return aside

    def head(self) -> tuple[int, str]:
        """How many records there are, and the last one's hash; (0, 64 zeros) when there is no log yet."""
        head = self.place().head
        return head.count, head.hash

    def place(self) -> Place:
        """Where its last record ends."""
        try:
            with open(self.path, "rb") as log:
                end, _ = self._find_end(log.fileno())
        except FileNotFoundError:
            return Place(Head(), 0)
        except OSError as error:
            raise self._unreadable(error) from error
        return Place(end.head, end.size)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        try:
            return os.open(self.path, flags)
        except FileNotFoundError:
            self._require_whole()  # a new log must not take the place of one that was deleted
            fd = os.open(self.path, flags | os.O_CREAT, 0o600)
            sync_folder(_folder_of(self.path))
            return fd

    def _find_end(self, fd: int) -> tuple[_End, bytes]:
        """The log's end, and what stands after it: the torn line of a crash, or nothing."""
        status = os.fstat(fd)
        file = status.st_dev, status.st_ino
        if self._end.file == file and self._end.size == status.st_size:
            return self._end, b""
        lines, torn = last_lines(fd, status.st_size), b""
        if lines and record_of(lines[-1]) is None:
            torn = lines.pop()
        size = status.st_size - len(torn)
        if not lines:
            return _End(size=size, file=file), torn
        last = record_of(lines[-1])
        if last is None:
            raise self._damaged(None)
        return _End(last["seq"], last["hash"], size, file, last["prev"]), torn

    def _set_aside(self, fd: int, end: _End, torn: bytes, run: str) -> _End:
        """Move a torn line to a file of its own and say so in the log."""
        aside = _new_file(f"{self.path}.torn-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}", torn)
        os.ftruncate(fd, end.size)
        digest = sha256(torn).hexdigest()
        event = Repaired(torn_file=os.path.basename(aside), torn_size=len(torn), torn_sha256=digest)
        return self._write(fd, end, event.name, run, event.fields())[0]

    def _write(
        self, fd: int, end: _End, event: str, run: str, fields: dict[str, Any]
    ) -> tuple[_End, dict[str, Any]]:
        """Write a record and then its head; the head has its room on the disk before, so that both are or none."""
        record, line = render(end.head, event, run, fields)
        new = _End(record["seq"], record["hash"], end.size + len(line), end.file, end.hash)
        prepared = self.kept.prepare(new.head)
        try:
            write_all(fd, line)
            os.fsync(fd)
            prepared.put_in_place()
        except BaseException:
            if prepared.drop():  # the head does not hold yet
                with suppress(OSError):
                    os.ftruncate(fd, end.size)
            raise
        with suppress(OSError):
            sync_folder(_folder_of(self.path))
        return new, record

    def _lines(self) -> list[bytes]:
        """The file's lines with their newlines, as far as they have one."""
        try:
            with open(self.path, "rb") as log:
                return split(log.read())
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
            self._repairs,
        )


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
