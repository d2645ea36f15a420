"""The order of versions."""

import random

import pytest

from rigger import versions

ORDERED = [
    "main", "0.9", "1.0.0-alpha.1", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0-beta", "1.0.0-rc.1", "1.0.0-rc.2", "1.0.0",
    "1.2.0", "v1.9.0", "1.10.0", "2.0.0-rc1", "2.0.0", "10.0",
]  # fmt: skip


def test_the_newest_is_first():
    shuffled = random.Random(7).sample(ORDERED, len(ORDERED))
    assert versions.newest_first(shuffled) == ORDERED[::-1]


@pytest.mark.parametrize(
    "odd", ["", "v", "1..2", "1.2.3.4.5.6", "9" * 100, "1.0-" + "a1" * 200, "١.٢", "1.0\n", "+", "1.0+build"]
)
def test_any_text_has_a_place(odd):
    assert len(versions.newest_first([odd, *ORDERED])) == len(ORDERED) + 1


def test_what_is_built_of_a_version_is_that_version():
    assert versions.key("1.2.0+git.5")[:3] == versions.key("1.2.0")[:3]
