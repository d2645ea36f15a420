"""The image of a file of tests: NAME, whose entry point is the script SCRIPT."""

import pytest
from helpers import images


@pytest.fixture(scope="module")
def image(request):
    images.require()
    yield images.make(request.module.NAME, request.module.SCRIPT)
    images.podman("rmi", "--force", request.module.NAME, code=None)
