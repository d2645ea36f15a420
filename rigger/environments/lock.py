"""The lock of an environment, and who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from _thread import get_ident
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress

from rigger.environments.call import Call
from rigger.errors import UNWRITABLE, InvalidConfig, Locked, not_written
from rigger.later import later
from rigger.process.actor import actor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    from rigger.process import lookup
else:
    Protocol = object
    lookup = later("rigger.process.lookup")

RECORD_BYTES = 4096  # what the holder says of itself is shorter
PAUSE = 0.1  # seconds between two tries of who waits

ALONE = Call()


class Lock(Protocol):
    """What keeps two runs from working on one environment at a time, in whatever place it lies."""

    def locked(self, command: str, call: Call = ALONE) -> AbstractContextManager[int]:
        """Hold the lock; gives the file descriptor that scripts inherit. Raises Locked, saying who holds it."""

    def request(self) -> str:
        """Return the id of the request that is carried out here now; nothing where none is."""

    def watched(self) -> AbstractContextManager[None]:
        """Keep others from working, as far as that can be where nothing can be written; raises Locked."""

    def held(self) -> bool:
        """Return whether it is held by way of this very object."""

    def unwritable(self) -> str:
        """Return why nothing can be written here, not even the lock; nothing where that can be."""

    def holder(self) -> str:
        """Return who holds the lock, in a sentence; nothing where nobody does."""

    def busy_since(self) -> float | None:
        """Return when another rigger that works here now began, in seconds since 1970; None where none does."""


class FileLock:
    """The lock as a file on this machine, of the environment of that name."""

    def __init__(self, path: str, name: str):
        self.path = path
        self.name = name
        self._fd: int | None = None  # while it is held
        self._by = ("", 0)  # the request and the thread that hold it, or held it last

    @contextmanager
    def locked(self, command: str, call: Call = ALONE) -> Iterator[int]:
        """Hold the lock; yields its file descriptor, which scripts inherit. The request that holds it has it already.

        Raises Locked, saying who holds it, once the call has waited as long as it may. The lock belongs to the open
        file: a script that outlives a killed rigger still holds it.
        """
        if self._fd is not None and call.request and self._by == (call.request, get_ident()):
            yield self._fd
            return
        fd = self._open()
        try:
            self._wait(fd, call)
            with suppress(OSError):  # who holds it is a courtesy: a full disk must not stop a destroy
                os.ftruncate(fd, 0)
                os.pwrite(fd, json.dumps({**_holder(command, call), "since": time.time()}).encode(), 0)
            self._fd, self._by = fd, (call.request, get_ident())
            yield fd
            with suppress(OSError):
                os.ftruncate(fd, 0)
        finally:
            if self._fd == fd:  # else somebody else of this very object holds it
                self._fd = None
            # Daemons that a script started may hold copies of the descriptor: unlock, rather than only close.
            with suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)

    def held(self) -> bool:
        """Return whether it is held by way of this very object: what writes a record asks for that."""
        return self._fd is not None

    def _wait(self, fd: int, call: Call) -> None:
        """Take the lock, as soon as whoever has it gives it back; raises Locked where that takes too long."""
        waited, holder = False, b""
        while not _acquire(fd):
            record = os.pread(fd, RECORD_BYTES, 0)
            problem = self._locked(record)
            if call.patience <= 0:
                raise problem
            if not waited or (record and record != holder):  # it is empty just before it is given back
                waited, holder = True, record
                call.say(f"Waiting: {problem.message}")
            time.sleep(PAUSE)
        if waited and os.fstat(fd).st_nlink == 0:
            raise InvalidConfig(f"Environment {self.name} was removed meanwhile.")

    def moved(self, path: str) -> None:
        """Say where the file lies now, after its folder was renamed; who holds it goes on to hold it."""
        self.path = path

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise not_written(
                problem, f"{self.path} cannot be opened: {problem.strerror}.", "Check who may write there."
            ) from None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep others from working here, as far as that can be where nothing can be written; raises Locked."""
        with ExitStack() as stack:
            with suppress(OSError):
                file = stack.enter_context(open(self.path, "rb"))
                if not _acquire(file.fileno(), fcntl.LOCK_SH):
                    raise self._locked(file.read(RECORD_BYTES))
            yield

    def unwritable(self) -> str:
        """Return why nothing can be written here, not even the lock; nothing where that can be."""
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as problem:
            return os.strerror(problem.errno or 0) if problem.errno in UNWRITABLE else ""
        return ""

    def holder(self) -> str:
        """Return who holds the lock, in a sentence; nothing where nobody does."""
        record = self._held()
        return self._locked(record).message if record else ""

    def request(self) -> str:
        """Return the id of the request that is carried out here now; nothing where none is."""
        record = self._held()
        return self._locked(record).request if record else ""

    def busy_since(self) -> float | None:
        """Return when another rigger that works here now began, in seconds since 1970; None where none does."""
        if self.held():  # then no run of another is under way, however short ago one was killed
            return None
        try:
            holder = json.loads(self._held() or b"null")
            return None if _is_gone(holder) else float(holder["since"])
        except (ValueError, KeyError, TypeError):
            return None

    def _held(self) -> bytes:
        """Return what the holder of the lock wrote into it; nothing where nobody holds it."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            record = os.pread(fd, RECORD_BYTES, 0)
            return b"" if not record or _acquire(fd, fcntl.LOCK_SH) else record
        finally:
            os.close(fd)

    def _locked(self, record: bytes) -> Locked:
        try:
            holder = json.loads(record)
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder["since"]))
            who = f"{holder['who']}, process {holder['pid']}"
            what = f'"{holder["command"]}" ({who}, since {since})'
        except (ValueError, KeyError, TypeError):
            return Locked(f"Environment {self.name} is in use by another run.", "Wait until it has ended.")
        problem = Locked(
            f"Environment {self.name} is locked by {what}.",
            "Wait until it has ended (--wait), or stop it with Ctrl-C there.",
        )
        if _is_gone(holder):
            left = ", ".join(f"{name} (process {pid})" for pid, name in lookup.processes_holding(self.path))
            problem = Locked(
                f"Environment {self.name} is locked: {what} was killed, but what it started is still running: {left or '?'}.",
                "Wait until that has ended, or end it yourself with kill.",
            )
        problem.request = str(holder.get("request", ""))
        return problem


def _holder(command: str, call: Call) -> dict[str, Any]:
    request = {"request": call.request} if call.request else {}
    who = f"{call.actor} (by {actor()})" if call.actor else actor()
    return {"pid": os.getpid(), "who": who, "host": os.uname().nodename, "command": command, **request}


def _is_gone(holder: dict[str, Any]) -> bool:
    """Return whether a holder was a process of this machine, and has ended."""
    local = holder["host"] == os.uname().nodename
    return local and lookup.process_start_time(int(holder["pid"])) is None


def _acquire(fd: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Try to lock, for a moment: `holder` may be looking at the lock of a killed run just now."""
    for attempt in range(4):
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
            return True
        except OSError:
            if attempt < 3:
                time.sleep(0.05)
    return False
