"""What this machine does to scripts: disks that run nothing, temporary folders, interpreters."""

from __future__ import annotations

import os

from rigger.modules.scripts import missing_interpreter
from rigger.runs.finding import Finding
from rigger.text import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rigger.environments.environment import Environment
    from rigger.plans.model import Plan

LEAST_TEMPORARY_BYTES = 16 << 20  # what shells and Terraform put there; more is a module's business


def surroundings(environment: Environment, planned: Plan | None) -> Iterator[Finding]:
    """Look at what lets scripts run at all; changes nothing."""
    steps = planned.steps if planned else ()
    scripts = dict.fromkeys(os.path.dirname(step.script) for step in steps)
    yield from _run_programs(dict.fromkeys((environment.path, *scripts)))
    yield from _interpreters(environment, planned)


def temporary() -> Iterator[Finding]:
    """Look at the folder for temporary files: shells need it for every here-document."""
    folder = os.environ.get("TMPDIR") or "/tmp"
    what, remedy = "temporary files", "make that folder, or unset TMPDIR or set it to one that can be written"
    named = f"TMPDIR is {folder}" if os.environ.get("TMPDIR") else folder
    if not os.path.isdir(folder):
        yield Finding(what, False, f"{named}, which is no folder", remedy)
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield Finding(what, False, f"{named}, which is not writable", remedy)
    else:
        usage = os.statvfs(folder)
        free = usage.f_bavail * usage.f_frsize
        room = f"make room there: at least {LEAST_TEMPORARY_BYTES >> 20} MiB must be free"
        yield Finding(what, free >= LEAST_TEMPORARY_BYTES, f"{free >> 20} MiB free at {folder}", room)


def _run_programs(folders: Iterable[str]) -> Iterator[Finding]:
    """Look whether the disks of folders run programs; a folder that is missing is said elsewhere."""
    there = [folder for folder in folders if os.path.isdir(folder)]
    barred = [folder for folder in there if os.statvfs(folder).f_flag & os.ST_NOEXEC]
    for folder in barred:
        yield Finding(
            "noexec",
            False,
            f"{folder} is on a disk that runs no programs (it is mounted noexec)",
            "put it on another disk, or mount that one again without noexec: mount -o remount,exec",
        )
    if not barred:
        yield Finding("noexec", True, f"programs can run in {listed(there)}")


def _interpreters(environment: Environment, planned: Plan | None) -> Iterator[Finding]:
    """Look for the programs of the planned scripts' #! lines; a module's install may bring what its later steps need."""
    installed = set()
    path = os.pathsep.join([environment.bin_dir, os.environ.get("PATH", os.defpath)])
    for step in planned.steps if planned else ():
        missing = missing_interpreter(step.script, path)
        detail = f"{step.shown} is run by {missing}, which is not on this machine"
        if missing and step.module.name in installed:
            yield Finding("interpreter", True, f"{detail}; an install before it may bring it", tried=False)
        elif missing:
            yield Finding(
                "interpreter", False, detail, f"install {os.path.basename(missing)}, or correct the #! line"
            )
        if step.verb == "install":
            installed.add(step.module.name)
