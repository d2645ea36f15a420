"""Machines, and an inventory of them."""

import os
import tempfile

import pytest
from helpers.clusters import wait_for
from helpers.machines import Machines
from helpers.nodes import Nodes, processes


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    with Machines(tmp_path_factory.mktemp("machines"), 3) as machines:
        yield machines


@pytest.fixture
def runtime(monkeypatch):
    """A short folder of this test's own, where all connections have their sockets."""
    with tempfile.TemporaryDirectory(prefix="rt-", dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield folder
        wait_for(lambda: processes(folder) == set())
        assert os.listdir(folder) == []


@pytest.fixture
def nodes(machines, tmp_path, runtime):
    home = tmp_path / "a folder's 100% own ${HOME} " / ("long" * 40)
    yield Nodes(machines, home)
    for number in (1, 2, 3):
        machines.restore(number)
