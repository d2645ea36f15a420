"""Steps of the platform `etcd` on machines of the provider `local`; programs are fetched once."""

import pytest
from helpers.etcd_members import clients
from helpers.steps import Steps


@pytest.fixture
def steps(private_home, etcd_cache):
    made = []

    def make(version="3.5.0", cache=etcd_cache, **values):
        made.append(Steps(private_home, cache, version, **values))
        return made[-1]

    yield make
    for one in made:
        one.provider("destroy")
        assert one.processes() == [] and clients(one) == []
