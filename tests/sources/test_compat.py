"""Which interface a platform's checkout speaks."""

import pytest

from rigger.errors import Refused
from rigger.modules.model import Module
from rigger.sources.compat import require_interface, speaks


def oak(rigger="", **interfaces):
    return Module(
        "oak",
        "platform",
        "/oak",
        interfaces={int(n[1:]): since for n, since in interfaces.items()},
        rigger=rigger,
    )


SPEAKS = {"_1": "1.2.0", "_2": "1.10.0", "_3": "2.0.0"}


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("1.1.9", False),
        ("1.2.0-rc.1", True),
        ("v1.2.0", True),
        ("1.10.0", True),
        ("1.99.0", True),
        ("2.0.0-beta.1", False),
        ("2.0.0", False),
        ("1.99.0-3-gabcdef0", True),
        ("1.1.0-3-gabcdef0-dirty", False),
        ("2.0.0-3-gabcdef0", False),
        ("abcdef0", True),
        ("unversioned", True),
        ("", True),
    ],
)
def test_what_a_version_speaks(version, known):
    assert speaks(oak(**SPEAKS), version) == known


def test_a_manifest_that_says_nothing_speaks_what_it_is_written_in():
    require_interface(oak(), "0.0.1")


def test_an_interface_of_a_later_rigger_is_told_with_that_one():
    with pytest.raises(Refused) as refused:
        require_interface(oak("2.5", **SPEAKS), "2.0.0")
    assert refused.value.message == (
        "oak 2.0.0 speaks interface 3, which this rigger does not know; rigger 2.5 knows it."
    )
    assert refused.value.next_step == "Install that rigger, or choose an older version."


def test_a_version_from_before_there_was_one_is_told_what_is_needed():
    with pytest.raises(Refused) as refused:
        require_interface(oak(**SPEAKS), "1.1.0")
    assert refused.value.message == (
        "oak 1.1.0 speaks no interface that this rigger knows; 1.2.0 and later speak interface 1; "
        "1.10.0 and later speak interface 2."
    )
    assert refused.value.next_step == "Choose another version."


def test_where_only_a_later_rigger_can_help_nothing_is_recommended():
    with pytest.raises(Refused, match="speaks no interface that this rigger knows.$"):
        require_interface(oak(_3="2.0.0"), "1.0.0")
