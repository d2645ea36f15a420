"""An account of AWS for the records of a project: moto's server behind a proxy, and the variables that lead there."""

import pytest

from helpers.aws_account import REGION, SECRET, Proxy, Server

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
