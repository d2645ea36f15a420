"""A small cluster, configured and not yet made."""

import pytest
from helpers.clusters import Cluster


@pytest.fixture
def cluster(rigger, modules):
    cluster = Cluster(rigger, modules)
    cluster.configure()
    return cluster
