"""The log of a step: what a script says, masked, to the file and to whoever looks."""

from __future__ import annotations

import os

from rigger.envfile.output import parse_output
from rigger.runs.step_files import StepFiles, content_of
from rigger.sha256 import GrowingDigest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.redact import Redactor
    from rigger.runs.reporter import Reporter

BLOCK = 1 << 20  # bytes of a log that are masked at once


class StepLog:
    """A step's output on its way: masked, written to its file, hashed, shown."""

    def __init__(self, channels: StepFiles, redactor: Redactor, reporter: Reporter):
        self.channels = channels
        self.redactor = redactor
        self.reporter = reporter
        self.stream = redactor.stream()
        self.digest = GrowingDigest()
        self.size = 0
        self.problem = ""
        self._secrets_seen = 0
        self._fd = -1

    def __enter__(self) -> StepLog:
        self._fd = os.open(self.channels.log, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        return self

    def __exit__(self, *exc: object) -> None:
        self._write(self.stream.finish())
        os.close(self._fd)

    def mask_again(self) -> None:
        """Mask what the script had printed before it was known to be a secret."""
        try:
            self.size, self.digest = mask_file(self.channels.log, self.redactor)
        except OSError as problem:
            self.problem = problem.strerror or str(problem)

    def take(self, block: bytes) -> None:
        self._learn_secrets()
        self._write(self.stream.feed(block))

    def follow(self, pipe: int) -> None:
        """Take all that comes through a pipe until its other end is closed."""
        while block := os.read(pipe, BLOCK):
            self.take(block)

    def _learn_secrets(self) -> None:
        """Mask what the script has just saved as a secret, before anything that it printed after that is shown."""
        try:
            size = os.stat(self.channels.secrets).st_size
        except OSError:
            return
        if size != self._secrets_seen:
            self._secrets_seen = size
            values, _ = parse_output(content_of(self.channels.secrets), "")
            for value in values.values():
                self.redactor.add(value)

    def _write(self, data: bytes) -> None:
        if not data:
            return
        self.reporter.output(data)
        if self.problem:
            return
        try:
            view = memoryview(data)
            while view:  # not write_all: the digest is of what got there, also when the disk is full
                written = os.write(self._fd, view)
                self.digest.update(view[:written])
                self.size += written
                view = view[written:]
        except OSError as problem:
            self.problem = problem.strerror or str(problem)


def mask_file(path: str, redactor: Redactor) -> tuple[int, GrowingDigest]:
    """Mask a file where it lies, and return its size and digest: a mask is shorter than what it hides, so no room is needed."""
    stream, digest, read, written = redactor.stream(), GrowingDigest(), 0, 0
    masked = False  # until then the file says what it has to
    fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        while True:
            block = os.pread(fd, BLOCK, read)
            shown = stream.feed(block) if block else stream.finish()
            read += len(block)
            digest.update(shown)
            masked = masked or os.pread(fd, len(shown), written) != shown
            if not masked:
                written += len(shown)
            view = memoryview(shown if masked else b"")
            while view:
                count = os.pwrite(fd, view, written)
                view, written = view[count:], written + count
            if not block:
                break
        os.ftruncate(fd, written)
    finally:
        os.close(fd)
    return written, digest


def mask_logs(folder: str, redactor: Redactor) -> list[tuple[str, int, str]]:
    """Mask the logs of a run; return the name, size and SHA-256 of those in which something was masked."""
    found = []
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".log")):
        path = os.path.join(folder, name)
        before = os.path.getsize(path)
        size, digest = mask_file(path, redactor)
        if size != before:  # a mask is shorter than what it hides
            found.append((name, size, digest.hexdigest()))
    return found
