"""Which store the records of a project are in."""

from __future__ import annotations

from rigger.later import later
from rigger.releases.folder import FolderStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.home import Home
    from rigger.releases import aws_store
    from rigger.releases.project import Project
    from rigger.releases.store import Store
else:
    aws_store = later("rigger.releases.aws_store")


def store_of(home: Home, project: Project) -> Store:
    """Return the store of a project."""
    if project.store == "aws":
        return aws_store.AwsStore.of(home, project)
    return FolderStore(home, project.id)
