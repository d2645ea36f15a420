"""What is another image than before, service by service, and the commits between the two."""

from __future__ import annotations

from rigger.git import inspect as git_inspect
from rigger.git.place import around
from rigger.releases.names import short
from rigger.releases.registry import commit
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.releases.project import Project


@frozen
class Change:
    """The image that a service has, and the one that it is to have; nothing where it has none."""

    service: str
    image: str  # the image's id; several services may run one
    old: str
    new: str
    commits: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        return self.old != self.new

    def row(self) -> tuple[str, ...]:
        """Return it as a row for a person."""
        if not self.changes:
            return (self.service, short(self.new), "", "", "stays")
        old, new = short(self.old) if self.old else "-", short(self.new) if self.new else "-"
        if old == new:  # the same tag in another registry, or under another name
            old, new = self.old, self.new
        return (self.service, old, "->", new, "" if self.old and self.new else "new" if self.new else "gone")

    def as_dict(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "image": self.image,
            "old": self.old,
            "new": self.new,
            "commits": list(self.commits),
        }


def difference(project: Project, before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Return every service of the images before and after; raises BadUsage for one of those after that is not in the manifest.

    Commits are those of the repository that the manifest lies in, where the tags of both images name them,
    or the labels that their registry has.
    """
    repository = around(project.folder)
    known = {id: uri for id, uri in before.items() if id in project.images}
    changes = []
    for id in [*after, *(id for id in known if id not in after)]:
        old, new = before.get(id, ""), after.get(id, "")
        between = _commits(repository, old, new) if old != new else ()
        changes += [Change(service, id, old, new, between) for service in project.image(id).services]
    return tuple(sorted(changes, key=lambda change: change.service))


def _commits(repository: str, old: str, new: str) -> tuple[str, ...]:
    if not (repository and old and new):
        return ()
    first, last = commit(old), commit(new)
    return tuple(git_inspect.between(repository, first, last)) if first and last else ()
