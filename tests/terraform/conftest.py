"""A provider that is a folder of .tf files, and a server for states."""

import os

import pytest
from helpers.terraform_provider import StateServer, TerraformProvider


@pytest.fixture
def clay(tmp_path, monkeypatch):
    before = os.umask(0o077)
    yield TerraformProvider(tmp_path, monkeypatch)
    os.umask(before)


@pytest.fixture
def states():
    server = StateServer()
    yield server
    server.stop()
