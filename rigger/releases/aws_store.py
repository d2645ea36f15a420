"""The store in AWS: labels in SSM, releases with their deployments in DynamoDB, where older tools have them.

A release is one item; once it is too large, its next deployments stand in items of their own, `ID#2` and so on, which the
indexes do not have. Items `lock#...` are the locks.
"""

from __future__ import annotations

import contextlib
import json
import os

from rigger.environments.call import Call
from rigger.errors import BadUsage, NotReady
from rigger.releases.aws_labels import Labels
from rigger.releases.aws_lock import TableLock
from rigger.releases.aws_reach import Aws, as_item
from rigger.releases.aws_table import KEY, Table, update_of
from rigger.releases.model import MAY_CHANGE, Release
from rigger.releases.store import no_release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from rigger.environments.home import Home
    from rigger.releases.model import Deployment
    from rigger.releases.project import Project

PREFIX = "wellcome-releases-"
FULL = 350 * 1024  # bytes of an item after which no deployment is added to it; DynamoDB takes 400 KB
LONGEST_PROBLEM = 10_000  # characters
TRIES = 50  # to add a deployment while others add theirs
ABSENT = f"attribute_not_exists({KEY})"


class AwsStore:
    """The records of a project, in one account and region of AWS."""

    def __init__(self, aws: Aws, project: str, table: str = ""):
        self._project = project
        self._labels = Labels(aws, project)
        self._locks: dict[str, TableLock] = {}  # those that are held
        self.table = Table(aws, table or f"{PREFIX}{project}", project)

    @classmethod
    def of(cls, home: Home, project: Project) -> AwsStore:
        """Return the store of a project, as its manifest says."""
        record = os.path.join(home.path, "projects", project.id, "aws-account")
        aws = Aws(project.region, project.account_id, project.role_arn, record)
        return cls(aws, project.id, project.table)

    @property
    def where(self) -> str:
        return self.table.where

    def labels(self) -> list[str]:
        return self._labels.labels()

    def images(self, label: str) -> dict[str, str]:
        return self._labels.images(label)

    def set_images(self, label: str, images: Mapping[str, str | None], note: str = "") -> None:
        if label not in self._locks:
            with self.lock(label, "rigger image set", Call()):
                self._labels.write(label, images, note)
            return
        self._locks[label].require()
        self._labels.write(label, images, note)

    def put_release(self, release: Release) -> None:
        item = release.with_deployments(()).as_dict()
        if (size := _size(item)) > FULL:
            raise BadUsage(
                f"Release {release.id[:8]} would have {size // 1024} KB, and {FULL // 1024} are the most.",
                "Give it fewer services, or a shorter description.",
            )
        if not self.table.put(item, ABSENT) and self.table.get(release.id) != item:
            raise BadUsage(f"There is a release {release.id} already.")

    def release(self, id: str) -> Release:
        parts = self._parts(id)
        if not parts:
            raise no_release(id, self.releases(), self.where)
        return Release.read(_whole(parts))

    def releases(self) -> list[Release]:
        return [Release.read(record) for record in self._records()]

    def begin_deployment(self, deployment: Deployment) -> None:
        if lock := self._locks.get(deployment.environment.id):
            lock.require()
        record = {**deployment.as_dict(), "number": self._last_number(deployment.environment.id) + 1}
        if (size := _size(record)) > FULL // 4:
            raise BadUsage(f"A deployment would have {size // 1024} KB.", "Give it a shorter reason.")
        for tried in range(TRIES):
            parts = self._parts(deployment.release)
            if not parts:
                raise no_release(deployment.release, self.releases(), self.where)
            if place := _place(parts, deployment.id):
                if tried and parts[place[0]]["deployments"][place[1]] == record:
                    return  # it was written, and the answer was lost
                raise BadUsage(f"There is a deployment {deployment.id} already.")
            if self._append(parts, record):
                return
        raise NotReady(
            f"Release {deployment.release[:8]} is changed by others all the time.", "Try again later."
        )

    def change_deployment(self, deployment: Deployment) -> None:
        if lock := self._locks.get(deployment.environment.id):
            lock.require()
        parts = self._parts(deployment.release)
        place = _place(parts, deployment.id)
        if place is None:
            raise BadUsage(f"There is no deployment {deployment.id} in {self.where}.")
        part, number = parts[place[0]], place[1]
        at = f"deployments[{number}]"
        changed = {called: getattr(deployment, name) for name, called in MAY_CHANGE.items()}
        changed["problem"] = deployment.problem[:LONGEST_PROBLEM]
        change = ", ".join(f"{at}.#{name} = :{name}" for name in changed)
        values = {f":{name}": value for name, value in changed.items()}
        values[":date"] = part["deployments"][number][
            "date_created"
        ]  # the list only grows: it is this one still
        if not self.table.update(part[KEY], f"SET {change}", f"{at}.date_created = :date", values):
            raise NotReady(
                f"Deployment {deployment.id} was changed meanwhile.", "Run the same command again."
            )

    def deployments(self, environment: str = "") -> list[Deployment]:
        found: list[tuple[str, int, Deployment]] = []
        for record in self._records():
            read = Release.read(record).deployments
            numbers = [int(one.get("number", 0)) for one in record["deployments"]]
            found += [(one.date, number, one) for one, number in zip(read, numbers, strict=True)]
        chosen = [one for one in found if environment in ("", one[2].environment.id)]
        return [one for _, _, one in sorted(_in_turn(chosen), key=lambda one: one[:2], reverse=True)]

    @contextlib.contextmanager
    def lock(self, environment: str, command: str, call: Call) -> Iterator[object]:
        lock = TableLock(self.table, self._project, environment)
        with lock.locked(command, call):
            self._locks[environment] = lock
            try:
                yield lock
            finally:
                del self._locks[environment]

    def holder(self, environment: str) -> str:
        return TableLock(self.table, self._project, environment).holder()

    def _last_number(self, environment: str) -> int:
        """Return the number of an environment's last deployment: clocks of machines differ, numbers do not."""
        every = [one for record in self._records() for one in record["deployments"]]
        return max(
            (int(one.get("number", 0)) for one in every if _environment(one) == environment), default=0
        )

    def _records(self) -> list[dict[str, Any]]:
        """Return the releases, each with all of its deployments, the newest first."""
        items = {item[KEY]: item for item in self.table.items()}
        mine = [item for item in items.values() if item.get("project_id") == self._project]
        wholes = [_whole([item, *(items[id] for id in _further(item) if id in items)]) for item in mine]
        return sorted(wholes, key=lambda record: str(Release.read(record).date), reverse=True)

    def _parts(self, id: str) -> list[dict[str, Any]]:
        """Return the items of a release; [] where there is none."""
        first = self.table.get(id)
        if first is None or first.get("project_id") != self._project:
            return []
        return [first, *filter(None, map(self.table.get, _further(first)))]

    def _append(self, parts: list[dict[str, Any]], record: Mapping[str, Any]) -> bool:
        """Add a deployment, and return whether nobody else did so since the items were read."""
        first, last = parts[0], parts[-1]
        values = {":one": [record], ":none": [], ":date": record["date_created"]}
        added = "deployments = list_append(if_not_exists(deployments, :none), :one)"
        count = len(last.get("deployments") or ())
        same = "size(deployments) = :count" if "deployments" in last else "attribute_not_exists(deployments)"
        counted = {":count": count} if "deployments" in last else {}
        fits = _size(last) + _size(record) <= FULL
        if fits and last is first:
            return self.table.update(
                first[KEY], f"SET {added}, last_date_deployed = :date", same, {**values, **counted}
            )
        seen = {":date": values[":date"], ":parts": len(parts) - (0 if fits else -1)}
        dated = update_of(
            first[KEY], "SET last_date_deployed = :date, parts = :parts", f"attribute_exists({KEY})", seen
        )
        if fits:
            own = {":one": [record], ":none": [], **counted}
            return self.table.together(
                {"Update": update_of(last[KEY], f"SET {added}", same, own)}, {"Update": dated}
            )
        item = {KEY: f"{first[KEY]}#{len(parts) + 1}", "continues": first[KEY], "deployments": [record]}
        return self.table.together(
            {"Put": {"Item": as_item(item), "ConditionExpression": ABSENT}}, {"Update": dated}
        )


def _further(item: Mapping[str, Any]) -> list[str]:
    """Return the keys of the items in which a release goes on."""
    return [f"{item[KEY]}#{number}" for number in range(2, int(item.get("parts", 1)) + 1)]


def _whole(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the record of a release, of its items."""
    return {**parts[0], "deployments": [one for part in parts for one in part.get("deployments") or ()]}


def _place(parts: list[dict[str, Any]], id: str) -> tuple[int, int] | None:
    """Return in which item a deployment stands, and where; older ones have their number in the release as their id."""
    count = 0
    for number, part in enumerate(parts):
        for index, one in enumerate(part.get("deployments") or ()):
            count += 1
            if id == (one.get("deployment_id") or f"{parts[0][KEY]}.{count}"):
                return number, index
    return None


def _in_turn(found: list[tuple[str, int, Deployment]]) -> list[tuple[str, int, Deployment]]:
    """Return deployments with dates that rise with their numbers, where a machine's clock was behind another's."""
    latest: dict[str, str] = {}
    turned = []
    for date, number, one in sorted(found, key=lambda one: (one[1], one[0])):
        place = one.environment.id
        if number:
            latest[place] = date = max(date, latest.get(place, ""))
        turned.append((date, number, one))
    return turned


def _environment(record: Mapping[str, Any]) -> str:
    found = record.get("environment")
    return str(found.get("id", "")) if isinstance(found, dict) else str(found or "")


def _size(item: Mapping[str, Any]) -> int:
    """Return at most how many bytes DynamoDB counts of it; it adds up to three for each value beside the text."""
    return len(json.dumps(item, ensure_ascii=False, default=str).encode())
