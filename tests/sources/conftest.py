"""The repository of a platform, and an environment that may use it."""

import pytest
from helpers.platform_repository import Repository

from rigger.environments.home import Home


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "oak")


@pytest.fixture
def wood(tmp_path):
    return Home(str(tmp_path / "home")).create("wood", {"PLATFORM": "oak", "PROVIDER": "soil"}, {})
