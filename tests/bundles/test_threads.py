"""Blocks that go through threads."""

from __future__ import annotations

import os
import random

from helpers.archives import files_of, packed

from rigger.bundles import read as bundles_read


def test_more_blocks_than_there_are_at_once_go_through(place):
    chance = random.Random(1)
    contents = {
        f"f{n}": chance.randbytes(size)
        for n, size in enumerate([5_000_000, 0, 1, 2**20, 2**20 - 512, 9_000_000])
    }
    path = packed(place, contents)
    out = os.path.join(place, "out")
    bundles_read.extract(path, out)
    assert files_of(out) == contents
