"""Manifests that do not fit what they come with."""

from __future__ import annotations

from hashlib import sha256

import pytest
from helpers.archives import assert_refused, entry, frame, manifest_of, plain

BAD_MANIFESTS = {
    "missing": ({"x": entry(b"1"), "y": entry(b"")}, {}),
    "one too many": ({}, {}),
    "size": ({"x": entry(b"11")}, {}),
    "hash": ({"x": {**entry(b"1"), "sha256": "0" * 64}}, {}),
    "hash in capitals": ({"x": {**entry(b"1"), "sha256": sha256(b"1").hexdigest().upper()}}, {}),
    "mode": ({"x": entry(b"1", 0o700)}, {}),
    "time": ({"x": entry(b"1", mtime=2)}, {}),
    "true as a size": ({"x": {**entry(b"1"), "size": True}}, {}),
    "1.0 as a size": ({"x": {**entry(b"1"), "size": 1.0}}, {}),
    "another key": ({"x": {**entry(b"1"), "link": "/"}}, {}),
    "a key less": ({"x": {"size": 1}}, {}),
    "a list": ([entry(b"1")], {}),
    "format": ({"x": entry(b"1")}, {"format": 2}),
    "no format": ({"x": entry(b"1")}, {"format": None}),
    "format true": ({"x": entry(b"1")}, {"format": True}),
}


@pytest.mark.parametrize(("files", "fields"), BAD_MANIFESTS.values(), ids=BAD_MANIFESTS)
def test_a_manifest_that_does_not_fit_is_refused(place, files, fields):
    assert_refused(place, frame(plain(b"x", b"1") + manifest_of(files, **fields) + bytes(1024)))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"[" * 200_000,
        b'{"format": 1, "format": 1, "files": {}}',
        b'{"format": 1, "files": {}, "n": NaN}',
        b'{"format": 1, "files": {}, "n": %s}' % (b"1" * 100_000),
        b'{"format": 1, "files": {}, "n": "\xff"}',
        b'{"format": 1, "files": {}} {}',
    ],
)
def test_a_manifest_that_is_no_good_json_is_refused(place, raw):
    assert "manifest" in assert_refused(place, frame(plain(b"manifest.json", raw) + bytes(1024)))
