"""A small cluster, before and after its first provision."""

import pytest
from helpers.clusters import Cluster
from helpers.plan_steps import ALL


@pytest.fixture
def cluster(rigger, modules):
    cluster = Cluster(rigger, modules)
    cluster.configure()
    return cluster


@pytest.fixture
def provisioned(cluster):
    cluster.rigger("provision")
    assert cluster.ran() == ALL
    return cluster
