"""Stores of a project, one of each kind: what holds for one holds for all."""

import pytest
from helpers.aws_records import aws, aws_proxy, aws_server

from rigger.environments.home import Home
from rigger.releases.aws_reach import Aws
from rigger.releases.aws_store import AwsStore
from rigger.releases.folder import FolderStore

__all__ = ["aws", "aws_proxy", "aws_server"]  # fixtures


@pytest.fixture
def aws_here(aws, monkeypatch):
    """The same for this very process."""
    for name, value in aws.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def open_folder(private_home):
    """Return what opens the project's store in a folder, as another process would do it too."""
    return lambda: FolderStore(Home(str(private_home / ".rigger")), "storage")


@pytest.fixture
def open_aws_there(aws_here):
    """Return what opens it in AWS, whose table a command makes."""
    return lambda: AwsStore(Aws(), "storage")


@pytest.fixture
def open_aws(aws_here):
    """Return what opens the project's store in AWS, whose table is made."""
    AwsStore(Aws(), "storage").table.make()
    return lambda: AwsStore(Aws(), "storage")


@pytest.fixture(params=["folder", "aws"])
def open_store(request):
    return request.getfixturevalue(f"open_{request.param}")


@pytest.fixture
def store(open_store):
    return open_store()
