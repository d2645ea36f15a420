"""Stores of a project, one of each kind: what holds for one holds for all."""

import pytest
from helpers.aws_account import REGION, SECRET, Proxy, Server

from rigger.environments.home import Home
from rigger.releases.aws_reach import Aws
from rigger.releases.aws_store import AwsStore
from rigger.releases.folder import FolderStore

ACCOUNT = "123456789012"  # the one that moto's server has


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory):
    server = Server(str(tmp_path_factory.mktemp("moto") / "log"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def aws_proxy(aws_server):
    proxy = Proxy(aws_server)
    yield proxy
    proxy.close()


@pytest.fixture
def aws(aws_server, aws_proxy):
    """An account with nothing in it, behind a proxy; returns the variables that lead there."""
    aws_server.tell("moto-api/reset")
    aws_proxy.reset()
    return {
        "AWS_ENDPOINT_URL": aws_proxy.url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "AKIATESTONLY",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    }


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
