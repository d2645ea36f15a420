"""An environment to save, and a folder for the bundle and for what is unpacked."""

from __future__ import annotations

import pytest
from helpers.environments_to_save import Wood


@pytest.fixture
def place(tmp_path):
    """A folder of its own for the bundle and for what is unpacked; nothing else may ever appear in it."""
    folder = tmp_path / "place"
    folder.mkdir()
    return str(folder)


@pytest.fixture
def wood(modules, tmp_path):
    """An environment with all that a bundle carries."""
    return Wood(modules, tmp_path / "home")
