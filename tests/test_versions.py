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


@pytest.mark.parametrize(
    "ordered",
    [
        "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0",  # semver.org
        "1.0.dev1 1.0a1 1.0a1.post1 1.0b1 1.0rc1.dev2 1.0rc1 1.0 1.0.post1.dev1 1.0.post1 1.0.post2 1.0.post10 1.1",  # PEP 440
        "v1.30.1-rc1+k3s1 v1.30.1 v1.30.1+k3s9 v1.30.1+k3s10 v1.30.2+k3s1",
        "1.0.0 1.0.0+build.9 1.0.0+build.10",
        "v1.0-0-gabcd v1.0 v1.0-1-gabcd v1.0-10-gabcd v1.1-rc1 v1.1-rc1-5-gabcd v1.1-rc2",  # git describe
        "1.1.1 1.1.1a 1.1.1w 1.1.2",
        "9.6p1 9.6p2 9.6p10 9.7",
        "1.0.0.Beta2 1.0.0.CR1 1.0.0.Final 1.0.1",
        "tulip-1.9 tulip/v1.10 release-1.11 1.12",
        "2025.12.01 2026-01-31 2026-01-31-2 2026-01-31-10 20260201 20260201.1 2026.2.2",
        "24.04 24.04.1 24.10",
    ],
)
def test_each_habit_of_counting_has_its_order(ordered):
    expected = ordered.split()
    assert versions.newest_first(reversed(expected)) == expected[::-1]


@pytest.mark.parametrize(
    ("tag", "name", "numbers"),
    [
        ("v1.2.0", "", (1, 2, 0)),
        ("release-1.2", "", (1, 2)),
        ("releases/v1.2.0", "", (1, 2, 0)),
        ("tulip-1.2.0", "tulip", (1, 2, 0)),
        ("deis-workflow-v2.1.0", "deis-workflow", (2, 1, 0)),
        ("charts/tulip/v1.2.0-rc.1", "charts/tulip", (1, 2, 0)),
        ("@garden/tulip@1.2.0", "@garden/tulip", (1, 2, 0)),
        ("k8s-1.30", "k8s", (1, 30)),
        ("go1.21", "go", (1, 21)),
        ("r10", "", (10,)),
        ("Release10-rc1", "", (10,)),
        ("OpenSSL_1_1_1w", "OpenSSL", (1, 1, 1)),
        ("20260131", "", (2026, 1, 31)),
        ("v1.2.0-5-gabcdef0-dirty", "", (1, 2, 0)),
    ],
)
def test_a_tag_has_a_name_and_numbers(tag, name, numbers):
    version = versions.parse(tag)
    assert (version.name, version.numbers) == (name, numbers)


@pytest.mark.parametrize("odd", ["", "main", "weekly", "3e45abc", "1234567-dirty", "feature1", "1..2"])
def test_what_is_no_version_is_told_apart(odd):
    assert versions.parse(odd) is None and versions.numbers(odd) == ()


def test_one_release_under_several_tags_is_one():
    assert versions.is_same("v1.2.0", "release-1.2.0") and versions.is_same("tulip-1.2.0", "tulip/v1.2.0")
    assert not versions.is_same("tulip-1.2.0", "rose-1.2.0") and not versions.is_same("main", "vmain")
    assert versions.of_one(["v1.2.0", "release-1.2.0", "v1", "main"], []) == ["v1.2.0"]


@pytest.mark.parametrize(
    ("asked", "tag"),
    [
        ("2024.1", "2024.01"),
        ("v2024.10", "2024.10"),
        ("2024.1-rc1", "2024.01-rc1"),
        ("2024.001", "2024.01"),
        ("2024.1.0", None),
    ],
)
def test_a_zero_in_front_does_not_count_in_dates(asked, tag):
    tags = ["2024.10", "2024.01", "2024.01-rc1", "1.01", "2023.01"]
    assert versions.find(asked, tags) == ([tag] if tag else [])
    assert versions.find("1.1", tags) == []
