"""A folder for the bundle and for what is unpacked."""

from __future__ import annotations

import pytest


@pytest.fixture
def place(tmp_path):
    """A folder of its own for the bundle and for what is unpacked; nothing else may ever appear in it."""
    folder = tmp_path / "place"
    folder.mkdir()
    return str(folder)
