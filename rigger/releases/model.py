"""Releases and deployments, and the records of them: the names and forms that the tables of older tools have.

Those have an ARN where ours have who asked, an environment's id where ours have id and name, and no word of how a
deployment ended: that is read, and written as ours.
"""

from __future__ import annotations

import json
import os

from rigger.errors import Refused
from rigger.releases import moments
from rigger.values import field, frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# How a deployment stands.
REQUESTED = "requested"  # on record; nothing was changed yet
APPLYING = "applying"  # the label of the environment is moved; it is being carried out, or checked
CONFIRMED = "confirmed"  # a check said that it runs
FAILED = "failed"
ROLLED_BACK = "rolled-back"  # it was there, and what ran before took its place again
UNDER_WAY = (REQUESTED, APPLYING)
STATUSES = (REQUESTED, APPLYING, CONFIRMED, FAILED, ROLLED_BACK)


@frozen
class Named:
    """Somebody or something with an id and a name: who asked for a release, an environment."""

    id: str
    name: str

    def as_dict(self) -> dict[str, str]:
        return {"id": self.id, "name": self.name}

    @classmethod
    def read(cls, value: Any) -> Named:
        """Return it as a record has it: both, or only an id, which may be an ARN."""
        if isinstance(value, dict):
            id = str(value.get("id", ""))
            return cls(id, str(value.get("name") or id))
        text = str(value or "")
        return cls(text, text.rpartition("/")[2])


@frozen
class Deployment:
    """A release that was to be brought to an environment, and what became of it."""

    id: str
    release: str  # its id
    environment: Named
    date: str  # when it was requested; all times are as `moments` has them
    requested_by: Named
    description: str = ""  # the reason
    status: str = REQUESTED
    run: str = ""  # the run that carried it out, where what did so has runs
    previous: str = ""  # the release that ran there before, nothing where none did
    undoes: str = ""  # the deployment that it takes back
    before: Mapping[str, str] = field(default_factory=dict)  # what the environment's label meant before
    problem: str = ""  # why it failed, in a sentence
    applied: bool = False  # whether all of it was carried out, checked or not
    ended: str = ""  # when it was confirmed, or failed
    exit_code: int = 0  # of the command, where it failed
    request: str = ""  # the caller's own id
    words: str = ""  # the command of that request

    @property
    def under_way(self) -> bool:
        """Whether nobody has said how it ended: it is at work, or was killed."""
        return self.status in UNDER_WAY

    def as_dict(self) -> dict[str, Any]:
        """Return its record; what is ours alone stands behind what others know."""
        record = {
            "date_created": self.date,
            "environment": self.environment.as_dict(),
            "requested_by": self.requested_by.as_dict(),
            "description": self.description,
            "deployment_id": self.id,
            "release_id": self.release,
            "status": self.status,
            "run": self.run,
            "previous": self.previous,
            "before": dict(self.before),
            "applied": self.applied,
        }
        rest: dict[str, Any] = {"undoes": self.undoes, "problem": self.problem, "date_ended": self.ended}
        rest["exit_code"] = self.exit_code
        rest |= {"request": self.request, "words": self.words}
        return record | {name: value for name, value in rest.items() if value}

    @classmethod
    def read(cls, record: Mapping[str, Any], release: str, number: int = 0) -> Deployment:
        """Return the deployment of a record in a release, the `number`th one there; raises Refused for what is none."""
        where = f"deployment {number + 1} of release {release}"
        status = str(record.get("status") or CONFIRMED)  # older tools recorded what they had applied
        if status not in STATUSES:
            raise Refused(f"{where}: {status!r} is no status.", f"It is one of {', '.join(STATUSES)}.")
        if "date_created" not in record:
            raise Refused(f"{where} has no date_created.", "It is no record of a deployment.")
        before = record.get("before")
        return cls(
            str(record.get("deployment_id") or f"{release}.{number + 1}"),
            release,
            Named.read(record.get("environment")),
            moments.read(record["date_created"], where),
            Named.read(record.get("requested_by")),
            str(record.get("description") or ""),
            status,
            str(record.get("run") or ""),
            str(record.get("previous") or ""),
            str(record.get("undoes") or ""),
            {str(name): str(uri) for name, uri in before.items()} if isinstance(before, dict) else {},
            str(record.get("problem") or ""),
            bool(record.get("applied", status == CONFIRMED)),
            moments.read(record["date_ended"], where) if record.get("date_ended") else "",
            int(record.get("exit_code") or 0),
            str(record.get("request") or ""),
            str(record.get("words") or ""),
        )


# What may change of a deployment that is on record: its field, and that field's name in the record.
MAY_CHANGE = {
    "status": "status",
    "run": "run",
    "problem": "problem",
    "applied": "applied",
    "ended": "date_ended",
    "exit_code": "exit_code",
}


@frozen
class Release:
    """Services at known versions, which never change; and its deployments, the oldest first."""

    id: str
    project: Named
    date: str
    requested_by: Named
    description: str
    images: Mapping[str, str]
    deployments: tuple[Deployment, ...] = ()

    @property
    def last_deployed(self) -> str:
        """When it was deployed last; nothing where it never was."""
        return max((one.date for one in self.deployments), default="")

    def with_deployments(self, deployments: tuple[Deployment, ...]) -> Release:
        """Return the same release with other deployments."""
        return replace(self, deployments=deployments)

    def as_dict(self) -> dict[str, Any]:
        """Return its record."""
        deployed = {"last_date_deployed": self.last_deployed} if self.deployments else {}
        manifest = {"release_id": self.id, "project_id": self.project.id, "images": dict(self.images)}
        return {
            "release_id": self.id,
            "project_id": self.project.id,
            "project_name": self.project.name,
            "date_created": self.date,
            "created_at": moments.unix(self.date),
            **deployed,
            "release_manifest": json.dumps(manifest, sort_keys=True),
            "requested_by": self.requested_by.as_dict(),
            "description": self.description,
            "images": dict(self.images),
            "deployments": [one.as_dict() for one in self.deployments],
        }

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Release:
        """Return the release of a record; raises Refused for what is none."""
        id = str(record.get("release_id") or "")
        moment = record.get("date_created") or record.get("created_at")
        if not id or not moment:
            raise Refused(
                f"A record of a release has no {'date_created' if id else 'release_id'}.",
                "Look at the table: this is no release.",
            )
        project = str(record.get("project_id") or "")
        deployments = record.get("deployments") or []
        return cls(
            id,
            Named(project, str(record.get("project_name") or project)),
            moments.read(moment, f"release {id}"),
            Named.read(record.get("requested_by")),
            str(record.get("description") or ""),
            _images(record, id),
            tuple(Deployment.read(one, id, number) for number, one in enumerate(deployments)),
        )


def _images(record: Mapping[str, Any], id: str) -> dict[str, str]:
    """Return what a release has of each service; an older one has its images in its manifest alone, or some without one."""
    images = record.get("images")
    if not isinstance(images, dict):
        try:
            images = json.loads(str(record.get("release_manifest")))["images"]
        except (ValueError, KeyError, TypeError):
            raise Refused(f"Release {id} has no images.", "Look at the table: this is no release.") from None
    return {str(name): str(uri) for name, uri in images.items() if uri}


def new_id() -> str:
    """Return an id that nothing has yet, as RFC 4122 writes a random one."""
    digits = f"{int.from_bytes(os.urandom(16), 'big') & ~(0xF << 76) & ~(3 << 62) | 4 << 76 | 2 << 62:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
