"""What a run leaves in files."""

import os
import shutil

from rigger.audit.log import AuditLog


def files_with(folder, needle: bytes) -> list[str]:
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                if needle in file.read():
                    found.append(os.path.relpath(path, folder))
    return sorted(found)


def unbroken(cluster) -> bool:
    return "unbroken" in cluster.rigger("audit").out


def log_event(environment, event, run="", **fields):
    """Write a record into an environment's log as a command does, the lock held."""
    with environment.locked("a test"):
        return environment.audit.append(event, run, **fields)


def open_log(path) -> AuditLog:
    """Return a log that stands alone, to which the test may add."""
    return AuditLog(str(path), lambda: True)


def copy_log(source, target):
    """Copy an audit log and its head from one folder to another, and return where to."""
    os.makedirs(target, exist_ok=True)
    for name in ("audit.jsonl", "audit.head"):
        shutil.copyfile(os.path.join(source, name), os.path.join(target, name))
    return target
