"""The lock of an environment as an item in the table of releases, for rigger on any machine.

Whoever has it says who they are and until when, by AWS's clock, and moves that on while they work. A holder that is killed
leaves it until then; one of this very machine that has ended is seen to have ended, and its lock is taken at once.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time

from rigger.errors import Locked, RiggerError
from rigger.process.actor import actor
from rigger.process.lookup import process_start_time
from rigger.releases import moments
from rigger.releases.aws_table import KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from rigger.environments.call import Call
    from rigger.releases.aws_table import Table

LEASE = 120.0  # seconds until a lock is free again whose holder says nothing more
PAUSE = 1.0  # seconds between two tries of who waits


class TableLock:
    """The lock of one environment, or of one label."""

    def __init__(self, table: Table, project: str, name: str):
        self._table, self._name = table, name
        self._key = f"lock#{project}#{name}"  # no id of a release: those of older tools are UUIDs
        self._owner = ""
        self._sure_until = 0.0  # by this machine's monotonic clock

    @contextlib.contextmanager
    def locked(self, command: str, call: Call) -> Iterator[None]:
        """Hold the lock; raises Locked, saying who holds it, once the call has waited as long as it may."""
        self._take(command, call)
        over = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(over,), daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()
            with contextlib.suppress(RiggerError):  # then it is free once its time is over
                self._table.delete(self._key, "holder = :me", {":me": self._owner})

    def require(self) -> None:
        """Raise Locked where it may be that somebody else has it by now, as AWS was out of reach for too long."""
        if time.monotonic() > self._sure_until:
            raise Locked(
                f"The lock of {self._name} may be somebody else's by now: AWS could not be asked for too long.",
                'Look at what is there ("rigger release status"), then run the same command again.',
            )

    def holder(self) -> str:
        """Return who holds it, in a sentence; nothing where nobody does."""
        found = self._table.get(self._key)
        return "" if not found or self._free(found) else self._locked(found).message

    def _take(self, command: str, call: Call) -> None:
        said = ""
        while True:
            began = time.monotonic()
            found = self._table.get(self._key)
            if not found or self._free(found):
                item = self._item(command, call)
                if not found:
                    taken = self._table.put(item, f"attribute_not_exists({KEY})")
                else:
                    old = {":holder": found["holder"], ":free_at": found["free_at"]}
                    taken = self._table.put(item, "holder = :holder AND free_at = :free_at", old)
                found = None if taken else self._table.get(self._key)
                if taken or (found and found["holder"] == item["holder"]):  # its answer was lost
                    self._owner, self._sure_until = item["holder"], began + LEASE
                    return
            if found:
                problem = self._locked(found)
                if call.patience <= 0:
                    raise problem
                if found["holder"] != said:
                    said = found["holder"]
                    call.say(f"Waiting: {problem.message}")
                time.sleep(PAUSE)

    def _keep(self, over: threading.Event) -> None:
        while not over.wait(LEASE / 6):
            began = time.monotonic()
            values = {":me": self._owner, ":free_at": int(self._table.aws.now() + LEASE)}
            with contextlib.suppress(RiggerError):
                if not self._table.update(self._key, "SET free_at = :free_at", "holder = :me", values):
                    self._sure_until = 0.0
                    return
                self._sure_until = began + LEASE

    def _free(self, item: Mapping[str, Any]) -> bool:
        """Return whether a lock is nobody's: its time is over, or who held it was a process of this machine and has ended."""
        if item["free_at"] < self._table.aws.now():
            return True
        local = bool(item["machine"] == _machine())
        return local and process_start_time(int(item["pid"])) != item["started"]

    def _item(self, command: str, call: Call) -> dict[str, Any]:
        now = self._table.aws.now()
        return {
            KEY: self._key,
            "holder": os.urandom(16).hex(),
            "free_at": int(now + LEASE),
            "since": moments.of_seconds(now),
            "who": f"{call.actor} (by {actor()})" if call.actor else actor(),
            "command": command,
            "request": call.request,
            "machine": _machine(),
            "pid": os.getpid(),
            "started": process_start_time(os.getpid()) or 0,
        }

    def _locked(self, item: Mapping[str, Any]) -> Locked:
        until = moments.shown(moments.of_seconds(float(item["free_at"])))
        problem = Locked(
            f'Environment {self._name} is locked by "{item["command"]}" ({item["who"]}, process {item["pid"]}, '
            f"since {moments.shown(item['since'])}; it is free at {until} if nothing more is heard of it).",
            "Wait until it has ended (--wait), or stop it with Ctrl-C there.",
        )
        problem.request = str(item.get("request", ""))
        return problem


def _machine() -> str:
    """Return what tells this machine, since its last start, and its processes from all others."""
    text = os.uname().nodename
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        text += f" {file.read().strip()}"
    with contextlib.suppress(OSError):  # containers of one machine have processes of their own
        text += f" {os.readlink('/proc/self/ns/pid')}"
    return text
