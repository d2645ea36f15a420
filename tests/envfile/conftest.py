"""Every shell that rigger's files must suit."""

from __future__ import annotations

import shutil

import pytest
from helpers.shells import SHELLS


@pytest.fixture(params=SHELLS)
def shell(request):
    """The command that starts one of the shells."""
    command = SHELLS[request.param]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    return command
