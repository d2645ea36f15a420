"""The commands are tried on an environment whose scripts write down that they ran."""

import pytest
from helpers.clusters import Cluster
from helpers.platform_repository import Repository


@pytest.fixture
def cluster(rigger, modules):
    cluster = Cluster(rigger, modules)
    cluster.configure()
    return cluster


@pytest.fixture
def provisioned(cluster):
    cluster.rigger("provision")
    cluster.ran()
    return cluster


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "oak")


@pytest.fixture
def oak(rigger, repository):
    """Configure an environment from the repository, without a terminal."""

    def configure(*words, url=None, code=0):
        return rigger(
            "configure", "--no-input", "--trust", "--repository", url or repository.url, "--provider", "soil",
            *words, code=code,
        )  # fmt: skip

    return configure
