"""The store in a folder of this machine: one append-only log a project, as the audit log of an environment is one.

`$RIGGER_HOME/projects/ID/releases.jsonl` says what was done, each line chained to the one before it and on the disk before
anything follows from it (`audit/log.py` says how a line looks). What labels mean, releases and deployments are worked out
of it. A second project of that id, in another repository, is the same project.
"""

from __future__ import annotations

import contextlib
import os

from rigger.audit.events import Repaired
from rigger.audit.head import FIRST
from rigger.audit.lines import follows
from rigger.audit.log import AuditLog
from rigger.environments.lock import FileLock
from rigger.errors import BadUsage, InvalidConfig
from rigger.files import in_turn, saying_what_failed
from rigger.releases.model import MAY_CHANGE, Deployment, Release
from rigger.releases.store import no_release
from rigger.values import asdict, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from typing import Any

    from rigger.environments.call import Call
    from rigger.environments.home import Home

# The events of the log, and what each has beside the members of every record.
IMAGES_SET = "images-set"  # label, images: service -> URI, or null; note
RELEASED = "released"  # release: its record
DEPLOYMENT_BEGAN = "deployment-began"  # deployment: its record
DEPLOYMENT_CHANGED = "deployment-changed"  # deployment: of its record, what is another now


class FolderStore:
    """The records of a project, in a folder."""

    def __init__(self, home: Home, project: str):
        self._home = home
        self.folder = os.path.join(home.path, "projects", project)
        self._writing = False
        self._repairs = f'"rigger release repair" shows what is lost, and continues with the rest; a copy of {self.folder} is better.'
        self.log = AuditLog(self._file("releases.jsonl"), lambda: self._writing, repairs=self._repairs)
        self._known: tuple[tuple[int, ...] | None, _Fold] = (None, _Fold())

    @property
    def where(self) -> str:
        return self.folder

    def labels(self) -> list[str]:
        return sorted(label for label, images in self._fold().labels.items() if images)

    def images(self, label: str) -> dict[str, str]:
        return dict(self._fold().labels.get(label, {}))

    def set_images(self, label: str, images: Mapping[str, str | None], note: str = "") -> None:
        with self.writing():
            self.log.append(IMAGES_SET, label=label, images=dict(images), note=note)

    def put_release(self, release: Release) -> None:
        with self.writing():
            if release.id in self._fold().releases:
                raise BadUsage(f"There is a release {release.id} already.")
            self.log.append(RELEASED, release=release.with_deployments(()).as_dict())

    def release(self, id: str) -> Release:
        fold = self._fold()
        if id not in fold.releases:
            raise no_release(id, self.releases(), self.where)
        return fold.release(id)

    def releases(self) -> list[Release]:
        fold = self._fold()
        return [fold.release(id) for id in reversed(fold.releases)]

    def begin_deployment(self, deployment: Deployment) -> None:
        with self.writing():
            self.release(deployment.release)
            if deployment.id in self._fold().deployments:
                raise BadUsage(f"There is a deployment {deployment.id} already.")
            self.log.append(DEPLOYMENT_BEGAN, deployment=deployment.as_dict())

    def change_deployment(self, deployment: Deployment) -> None:
        with self.writing():
            if deployment.id not in self._fold().deployments:
                raise BadUsage(f"There is no deployment {deployment.id} in {self.where}.")
            change = {name: value for name, value in asdict(deployment).items() if name in MAY_CHANGE}
            self.log.append(DEPLOYMENT_CHANGED, deployment={"deployment_id": deployment.id, **change})

    def deployments(self, environment: str = "") -> list[Deployment]:
        every = reversed(self._fold().deployments.values())
        return [one for one in every if environment in ("", one.environment.id)]

    def lock(self, environment: str, command: str, call: Call) -> AbstractContextManager[object]:
        self._make()
        return self._lock(environment).locked(command, call)

    def holder(self, environment: str) -> str:
        return self._lock(environment).holder()

    def _lock(self, environment: str) -> FileLock:
        return FileLock(self._file(f"lock-{environment}"), environment)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Write one record, or what belongs together, after what others wrote and before they go on."""
        self._make()
        with in_turn(self._file("turn")):
            self._writing = True
            try:
                yield
            finally:
                self._writing = False

    def _make(self) -> None:
        self._home.make()
        with saying_what_failed(self.folder):
            os.makedirs(self.folder, mode=0o700, exist_ok=True)

    def _file(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def _fold(self) -> _Fold:
        """Return what the log comes to as it is now."""
        state = self.log.state()
        if state is None or state != self._known[0]:
            fold, previous = _Fold(), FIRST
            for record in self.log.records():
                if not follows(record, previous):
                    raise InvalidConfig(
                        f"{self.log.path} is not what rigger wrote: record {record['seq']} is another now.",
                        self._repairs,
                    )
                fold.take(record, self.log.path)
                previous = record["hash"]
            self._known = state, fold
        return self._known[1]


class _Fold:
    """What the records of a log come to."""

    def __init__(self) -> None:
        self.labels: dict[str, dict[str, str]] = {}
        self.releases: dict[str, Release] = {}  # without their deployments
        self.deployments: dict[str, Deployment] = {}
        self.lossy = False  # whether what follows may be about records that are lost

    def release(self, id: str) -> Release:
        own = tuple(one for one in self.deployments.values() if one.release == id)
        return self.releases[id].with_deployments(own)

    def take(self, record: Mapping[str, Any], path: str) -> None:
        """Take the next record in; raises InvalidConfig for one that is chained, and not what its event has."""
        try:
            self._take(record)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise InvalidConfig(
                f"{path}: record {record['seq']} is no {record['event']!r} that this rigger knows.",
                "A newer rigger wrote it, perhaps: use that one.",
            ) from None

    def _take(self, record: Mapping[str, Any]) -> None:
        event = record["event"]
        self.lossy = self.lossy or event == Repaired.name
        if event == IMAGES_SET:
            label = self.labels.setdefault(record["label"], {})
            for service, uri in record["images"].items():
                if uri is None:
                    label.pop(service, None)
                else:
                    label[service] = uri
        elif event == RELEASED:
            release = Release.read(record["release"])
            self.releases[release.id] = release
        elif event == DEPLOYMENT_BEGAN:
            deployment = Deployment.read(record["deployment"], record["deployment"]["release_id"])
            if deployment.release in self.releases or not self.lossy:
                self.deployments[deployment.id] = deployment
        elif event == DEPLOYMENT_CHANGED:
            change = {name: value for name, value in record["deployment"].items() if name in MAY_CHANGE}
            id = record["deployment"]["deployment_id"]
            if self.lossy and id not in self.deployments:
                return
            self.deployments[id] = replace(self.deployments[id], **change)
