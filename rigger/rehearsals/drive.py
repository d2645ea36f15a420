"""The real `rigger upgrade` of a copy, run beside this process: watched by its record, held, and killed.

It is the program that people type, so that what is rehearsed is what will run; and a rigger that is killed has to be one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress

from rigger.audit.runs import exact
from rigger.process import spawn, tree
from rigger.process.tree import kill_session
from rigger.rehearsals.model import Mark
from rigger.runs.environment import CALLERS
from rigger.text import last_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence
    from typing import Any

    from rigger.environments.environment import Environment

TAIL = 4096  # bytes of a log in which its last line is
LOOK = 0.02  # seconds between two looks at the record
PERSONS = ("RIGGER_ENVIRONMENT", "RIGGER_HOME", *CALLERS)


class Driven:
    """One `rigger` command on a copy."""

    def __init__(self, copy: Environment, words: Sequence[str], folder: str):
        """Start it; what it prints goes into files of a folder."""
        self.copy = copy
        self.words = words
        self.began = time.time()
        self.ended = 0.0
        self.killed = False
        self._first = copy.audit.head()[0]  # what the record had before
        self._last: int | None = None  # and at its end
        own = {name: value for name, value in os.environ.items() if name not in PERSONS}
        stem = os.path.join(folder, f"{len(os.listdir(folder))}-{words[0]}")
        self._out, self._err = f"{stem}.json", f"{stem}.txt"
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self._process: subprocess.Popen[bytes] = spawn.spawn(
                [sys.executable, "-m", "rigger", "-e", copy.name, *words, "-y", "-o", "json"],
                copy.home,
                {**own, "RIGGER_HOME": copy.home},
                stdout=out.fileno(),
                stderr=err.fileno(),
            )

    def records(self, *names: str) -> list[dict[str, Any]]:
        """Return what was recorded since it began, of those kinds."""
        return [one for one in self.copy.audit.records()[self._first : self._last] if one["event"] in names]

    def goes_on(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, reached: Callable[[], bool], until: float = float("inf")) -> bool:
        """Wait until something is reached; False where the command ended first, or that moment came."""
        while not reached():
            if not self.goes_on() or time.time() > until:
                return reached()
            time.sleep(LOOK)
        return True

    def finish(self, tick: Callable[[], None] = lambda: None) -> int:
        """Wait for its end and return the exit code; `tick` is called meanwhile."""
        while self.goes_on():
            tick()
            time.sleep(LOOK)
        self._over()
        return 128 - self._process.returncode if self._process.returncode < 0 else self._process.returncode

    def hold(self) -> None:
        """Hold rigger itself, so that no further step begins."""
        self._send(signal.SIGSTOP)

    def let_go(self) -> None:
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        """Kill rigger and all that it started here, as the end of this computer would; nodes go on."""
        self.killed = True
        family = _family(self._process.pid)
        self._send(signal.SIGKILL)
        while family:
            for process in family:
                process.send(signal.SIGKILL)
            time.sleep(0.01)
            family = [one for one in family if tree.start_of(one.pid) == one.start]
        kill_session(self._process)
        self._over()

    def close(self) -> None:
        """End it where it goes on, whatever ended this."""
        if self.goes_on():
            self.kill()

    def said(self) -> str:
        """Return what went wrong, in the command's own words; nothing where nothing did, or it was killed."""
        with suppress(OSError, ValueError, KeyError, TypeError), open(self._out, "rb") as file:
            return str(json.load(file)["error"]["message"])
        return ""

    def last_words(self) -> str:
        """Return the last line that the last step printed which failed; nothing where none did."""
        failed = [one for one in self.records("step-finished") if one["exit_code"]]
        logs = {(one["run"], one["number"]): one["log"] for one in self.records("step-started")}
        log = logs.get((failed[-1]["run"], failed[-1]["number"])) if failed else None
        if log is None:
            return ""
        with suppress(OSError), open(self.copy.file(log), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            return last_line(file.read().decode("utf-8", "replace")).removeprefix("error: ")
        return ""

    def marks(self, since: float) -> list[Mark]:
        """Return the command and its steps in a timeline that begins at `since`."""
        end = self.ended or time.time()
        good = not self.killed and self._process.returncode == 0
        found = [Mark("command", f"rigger {' '.join(self.words)}", self.began - since, end - since, good)]
        started: dict[tuple[str, int], dict[str, Any]] = {}
        for one in self.records("step-started", "step-finished"):
            key = (one["run"], one["number"])
            if one["event"] == "step-started":
                started[key] = one
            elif began := started.pop(key, None):
                good = one["exit_code"] == 0
                found.append(
                    _mark(one["step"], exact(began["time"]) - since, exact(one["time"]) - since, good)
                )
        found += [
            _mark(one["step"], exact(one["time"]) - since, end - since, False) for one in started.values()
        ]
        return found

    def _send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _over(self) -> None:
        if not self.ended:
            self.ended, self._last = time.time(), self.copy.audit.head()[0]
        spawn.own_children.discard(self._process.pid)


def _mark(step: str, start: float, end: float, good: bool) -> Mark:
    return Mark("step", step.removeprefix("tests/"), max(0.0, start), max(0.0, end), good)


def _family(pid: int) -> list[tree.ProcessInfo]:
    """Return what a rigger's steps have running on this computer, as far as the system tells.

    What they started on nodes that are folders of this computer is a node's, and lives on: it is in no session with a
    process that knows of the step.
    """
    found = [one for one in tree.descendants_of(pid) if one.state not in "ZX"]
    sessions = {one.session for one in found if _is_of_step(one.pid)}
    return [one for one in found if one.session in sessions]


def _is_of_step(pid: int) -> bool:
    with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
        return b"\0RIGGER_STEP=" in b"\0" + file.read()
    return False
