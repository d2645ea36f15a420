"""A folder for scripts whose processes are all found again."""

from __future__ import annotations

import signal

import pytest
from helpers.scripts import World


@pytest.fixture(autouse=True)
def hearing():
    """The tests send signals to themselves; a shell's background job would ignore some of them."""
    previous = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.clean_up()
