"""Where else the data of a cluster is: the last backup that is known of it."""

from __future__ import annotations

import os
import time

from rigger.audit.runs import seconds
from rigger.environments.state import state_of
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.environments.environment import Environment


@frozen
class LastBackup:
    """A backup of the cluster that exists."""

    path: str
    made: float  # in seconds since 1970
    here: bool = True  # whether the file is there; one that was written elsewhere may have been moved

    @property
    def time(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.made))

    def describe(self) -> str:
        gone = "" if self.here else ", which is not on this machine now"
        return f"{self.path}, of {self.time}{gone}"

    def as_dict(self) -> dict[str, Any]:
        return {"file": self.path, "time": self.time, "here": self.here}


def last_backup(environment: Environment) -> LastBackup | None:
    """Return the newest backup of the cluster, one that is here if any is; None where none is known."""
    suspended = _of_suspension(environment)
    if suspended:
        return suspended
    history = state_of(environment).backups
    since = seconds(history.since) if history.since else 0.0
    known = [_written(environment, event.file, seconds(event.time)) for event in history.made]
    newest = environment.backups.last()
    if newest and os.stat(newest).st_mtime >= since:
        known.append(_file(newest))
    return max(known, key=lambda backup: (backup.here, backup.made), default=None)


def _of_suspension(environment: Environment) -> LastBackup | None:
    """Return what a suspended cluster's data is in, whatever else lies beside it."""
    suspension = state_of(environment).suspension
    path = environment.file(suspension.backup) if suspension and suspension.backup else ""
    return _file(path) if path and os.path.isfile(path) else None


def _written(environment: Environment, file: str, made: float) -> LastBackup:
    path = environment.file(file)  # a whole path stays as it is
    return _file(path) if os.path.isfile(path) else LastBackup(path, made, here=False)


def _file(path: str) -> LastBackup:
    return LastBackup(path, os.stat(path).st_mtime)
