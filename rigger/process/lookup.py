"""Find processes by a variable that they were started with, or by a file that they have open."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from rigger.process import capture
from rigger.process.tree import all_processes, has_proc, process_of, start_of


def processes_that_know(folder: str) -> list[tuple[int, str]]:
    """Return the id and name of every other process whose environment, command or working folder names a folder."""
    name, knowing = os.fsencode(folder), []
    for process in all_processes().values() if has_proc() else ():
        if process.pid != os.getpid() and process.state not in "ZX" and name in _known_to(process.pid):
            knowing.append((process.pid, process.name))
    return knowing


def _known_to(pid: int) -> bytes:
    """Return what /proc tells of a process's environment, command line and working folder."""
    words = b""
    for name in ("environ", "cmdline"):
        with suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:
            words += file.read()
    with suppress(OSError):
        words += os.readlink(os.fsencode(f"/proc/{pid}/cwd"))
    return words


def process_start_time(pid: int) -> int | None:
    """When a living process started; None when there is none. Only fit to be compared with itself.

    Clock ticks since the machine started on Linux, seconds since 1970 elsewhere. A zombie does not live.
    """
    if has_proc():
        return start_of(pid)
    listed = capture.capture(["ps", "-o", "lstart=", "-p", str(pid)], env={**os.environ, "LC_ALL": "C"})
    text = listed.output.decode("ascii", "replace").strip()
    return int(time.mktime(time.strptime(text, "%a %b %d %H:%M:%S %Y"))) if text else None


def processes_holding(path: str) -> list[tuple[int, str]]:
    """(pid, name) of the other processes that have this very file open; [] where there is no /proc."""
    try:
        wanted = os.stat(path)
        pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        return []
    holders = [process_of(pid) for pid in sorted(pids) if pid != os.getpid() and _has_open(pid, wanted)]
    return [(process.pid, process.name) for process in holders if process]


def _has_open(pid: int, wanted: os.stat_result) -> bool:
    folder = f"/proc/{pid}/fd"
    with suppress(OSError):
        for fd in os.listdir(folder):
            with suppress(OSError):
                if os.path.samestat(os.stat(f"{folder}/{fd}"), wanted):
                    return True
    return False
