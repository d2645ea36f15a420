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
def wood(modules, rigger, tmp_path, monkeypatch):
    """An environment with all that a bundle carries; this process finds its modules by name."""
    made = Wood(modules, tmp_path / "home")
    for name in ("RIGGER_PROVIDER_PATH", "RIGGER_PLATFORM_PATH"):
        monkeypatch.setenv(name, rigger.env[name])
    return made
