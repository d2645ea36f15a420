"""What the format says: limits, and how two bundles differ."""

from __future__ import annotations

from helpers.archives import assert_refused, packed

from rigger.bundles import format as bundle_format
from rigger.bundles import read as bundles_read
from rigger.bundles.format import Limits

# --- round trips -------------------------------------------------------------------------------------


def test_differences_are_told_by_name(place):
    a = bundles_read.read_manifest(packed(place, {"same": b"1", "gone": b"2", "other": b"3"}))
    b = bundles_read.read_manifest(packed(place, {"same": b"1", "new": b"2", "other": b"4"}))
    assert bundle_format.diff(a, b) == bundle_format.Difference(("new",), ("gone",), ("other",))
    assert bundle_format.diff(a, b) and not bundle_format.diff(a, a)


# --- bombs -------------------------------------------------------------------------------------------


def test_limits_hold(place):
    path = packed(place, {"a": bytes(200_000), "b": bytes(200_000)})
    with open(path, "rb") as file:
        data = file.read()
    for limits, reason in (
        (Limits(total=300_000), "unpacks to more than 300000"),
        (Limits(file=199_999), "'a' is larger"),
        (Limits(count=1), "more than 1 files"),
        (Limits(ratio=10, always=1000), "than"),
        (Limits(manifest=200), "'manifest.json' is larger"),
        (Limits(window=1024), "of memory"),
    ):
        assert reason in assert_refused(place, data, limits=limits)
