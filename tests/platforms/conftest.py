"""Steps of the platform `etcd` on machines of the provider `local`; programs are fetched once."""

import os

import pytest
from helpers.etcd_members import clients
from helpers.steps import Steps


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Programs are fetched once; workers that run at the same time share them."""
    folder = tmp_path_factory.getbasetemp()
    return str((folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "etcd-cache")


@pytest.fixture
def steps(private_home, cache):
    made = []

    def make(version="3.5.0", cache=cache, **values):
        made.append(Steps(private_home, cache, version, **values))
        return made[-1]

    yield make
    for one in made:
        one.provider("destroy")
        assert one.processes() == [] and clients(one) == []
