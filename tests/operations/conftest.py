"""The operations are called from Python; nothing of them may be printed."""

import pytest
from helpers.clusters import Cluster
from helpers.second_machine import forest
from helpers.without_terminal import configured


@pytest.fixture
def in_process(rigger, modules, monkeypatch):
    """Let this process find the modules of the test."""

    def prepare(cluster):
        for name in ("RIGGER_PROVIDER_PATH", "RIGGER_PLATFORM_PATH", "NOTED"):
            monkeypatch.setenv(name, rigger.env[name])
        monkeypatch.chdir(rigger.folder)
        return cluster

    return prepare


@pytest.fixture
def cluster(rigger, modules, in_process):
    """A cluster that is neither configured nor provisioned."""
    return in_process(Cluster(rigger, modules))


@pytest.fixture
def wood(cluster):
    """Its environment, configured with the defaults."""
    return configured(cluster)


@pytest.fixture
def trees(rigger, modules, in_process):
    """A cluster that can be upgraded, backed up and restored."""
    return in_process(forest(rigger, modules))


@pytest.fixture(autouse=True)
def silent(capfd):
    """What an operation has to say goes to its reporter."""
    yield
    assert capfd.readouterr() == ("", "")
