"""Which store the records of a project are in."""

from __future__ import annotations

from rigger.releases.folder import FolderStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.home import Home
    from rigger.releases.project import Project
    from rigger.releases.store import Store


def store_of(home: Home, project: Project) -> Store:
    """Return the store of a project."""
    return FolderStore(home, project.id)
