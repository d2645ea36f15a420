"""A repository, and a clone of it."""

import pytest
from helpers.repositories import Upstream

from rigger.git import clone as git_clone
from rigger.git import remote as git_remote


@pytest.fixture
def upstream(tmp_path):
    return Upstream(tmp_path / "upstream")


@pytest.fixture
def clone(upstream, tmp_path):
    """Clone what is asked for and return the folder."""

    def make(folder="clone", **asked):
        target = git_remote.resolve(upstream.url, **asked)
        path = str(tmp_path / folder)
        git_clone.clone(upstream.url, path, target)
        return path

    return make
