"""The commands are tried on an environment whose scripts write down that they ran."""

import pytest
from clusters import Cluster


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
