"""Manifests that do not fit what they come with, and what the bundle of an environment may say and hold."""

from __future__ import annotations

from hashlib import sha256

import pytest
from helpers.archives import assert_refused, entry, frame, manifest_of, plain

from rigger.bundles.rules import fields_problem, member_problem

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


# What the bundle of an environment may say


FIELDS = {
    "name": "wood",
    "id": "0123456789",
    "prefix": "TREE",
    "serial": 3,
    "audit": {"count": 3, "head": "0" * 64},
    "environment_dir": "/home/a/environments/wood",
    "path_folders": ["bin"],
    "redacted": ["TOKEN"],
    "left_out": ["modules/soil/config"],
    "provider": "soil",
    "platform": "tree",
    "created": "2026-11-20T21:44:00Z",
    "version": "1.10.0",
    "commit": "",
}


def test_what_rigger_writes_is_good():
    assert fields_problem(FIELDS) is None
    assert fields_problem({**FIELDS, "more": "of a later rigger", "left_out": [], "version": ""}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "../wood"),
        ("name", "wood\n"),
        ("id", ""),
        ("prefix", "tree"),
        ("serial", True),
        ("serial", -1),
        ("audit", {"count": 3, "head": "0" * 63}),
        ("audit", {"count": 4, "head": "0" * 64}),
        ("audit", [3, "0" * 64]),
        ("environment_dir", "/"),
        ("environment_dir", "environments/wood"),
        ("environment_dir", "/home/../wood"),
        ("path_folders", ["/bin"]),
        ("path_folders", ["../bin"]),
        ("path_folders", ["a:b"]),
        ("path_folders", "bin"),
        ("redacted", ["a b"]),
        ("redacted", [7]),
        ("left_out", ["lock"]),
        ("provider", "Soil"),
        ("platform", "a/b"),
        ("created", "\x1b[31m"),
        ("version", "1" * 201),
        ("commit", None),
    ],
)
def test_a_field_of_another_form_is_named(name, value):
    assert fields_problem({**FIELDS, name: value}) == f"its manifest has no usable {name}"


@pytest.mark.parametrize("name", FIELDS)
def test_no_field_may_be_missing(name):
    less = {key: value for key, value in FIELDS.items() if key != name}
    assert fields_problem(less).startswith("its manifest has no usable ")


@pytest.mark.parametrize(
    "name",
    [
        "vars",
        "audit.jsonl",
        "inventory.json",
        "runs/1/01.log",
        "modules/soil/a/b",
        "scripts/provider/soil/create",
    ],
)
def test_files_of_an_environment_have_a_place(name):
    assert member_problem(name, FIELDS) is None


@pytest.mark.parametrize(
    "name",
    ["lock", "key", "secrets", "bin/tool", "runs", "modules", "scripts/provider/soil", "scripts/provider/clay/create",
     "scripts/soil/create", "modules/.git/config", "scripts/platform/tree/__pycache__/x.pyc", "runs/../vars", "vars/x"],
)  # fmt: skip
def test_what_rigger_keeps_for_itself_has_none(name):
    assert member_problem(name, FIELDS) == f"{name!r} has no place in it"
