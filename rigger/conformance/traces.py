"""What scripts leave on a machine: files that changed, and processes that go on."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from rigger.process.lookup import processes_that_know

SETTLE = 2.0  # seconds for what was stopped to be gone

Snapshot = dict[str, tuple[int, int, int]]  # of each file, by its name: its mode, size and time of change


def end_processes(root: str) -> list[str]:
    """Return the processes that know the sandbox a moment after all was stopped, and end them."""
    end = time.monotonic() + SETTLE
    while (left := processes_that_know(root)) and time.monotonic() < end:
        time.sleep(0.05)
    for pid, _ in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return [f"{name} ({pid})" for pid, name in left]


def snapshot(folder: str) -> Snapshot:
    """Return every file below a folder with what changes when it is written."""
    states: Snapshot = {}
    for at, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("__pycache__", ".git")]
        for name in files:
            path = os.path.join(at, name)
            with contextlib.suppress(OSError):
                status = os.lstat(path)
                states[os.path.relpath(path, folder)] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return states


def real_home() -> str:
    """Return the home that the system knows, wherever $HOME points."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


def names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
