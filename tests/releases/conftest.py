"""Stores of a project, one of each kind: what holds for one holds for all."""

import pytest

from rigger.environments.home import Home
from rigger.releases.folder import FolderStore


@pytest.fixture(params=["folder"])
def open_store(request, private_home):
    """Return what opens the project's store, as another process would do it too."""
    return lambda: FolderStore(Home(str(private_home / ".rigger")), "storage")


@pytest.fixture
def store(open_store):
    return open_store()
