"""Reading: damage of any byte is noticed, signatures are checked."""

from __future__ import annotations

import os

import pytest
import zstandard
from helpers.archives import (
    SMALL,
    archive,
    assert_refused,
    check,
    entry,
    files_of,
    flipped,
    frame,
    manifest_of,
    packed,
    plain,
    signed,
    verified,
    write,
)

from rigger import __version__
from rigger.bundles import read as bundles_read
from rigger.errors import BadUsage, Refused, RiggerError

# --- hostile archives --------------------------------------------------------------------------------


def test_an_archive_made_by_hand_is_taken(place):
    name, data = "é".encode(), b"data"
    files = {"a/b": entry(b"1"), "é": entry(data, 0o700)}
    path = write(place, archive([plain(b"a/b", b"1"), plain(name, data, 0o700)], files))
    bundles_read.extract(path, os.path.join(place, "out"))
    assert files_of(os.path.join(place, "out")) == {"a/b": b"1", "é": data}


# --- damage ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_byte_that_changes_is_noticed_or_does_no_harm(place):
    path, data, manifest = signed(place)
    harmless = [
        at
        for at in range(len(data))
        for bit in (0, 7)
        if verified(path, flipped(data, at, bit)) not in (None, manifest)
    ]
    assert harmless == []


@pytest.mark.slow
def test_every_byte_of_the_tar_that_changes_is_noticed_also_under_a_new_checksum(place):
    path, data, manifest = signed(place)
    tar = zstandard.ZstdDecompressor().stream_reader(data).read()
    assert verified(path, frame(tar)) == manifest
    assert [at for at in range(len(tar)) if verified(path, frame(flipped(tar, at, at % 8)))] == []


@pytest.mark.slow
def test_every_truncation_is_noticed(place):
    path, data, manifest = signed(place)
    assert [size for size in range(len(data)) if verified(path, data[:size])] == []
    tar = zstandard.ZstdDecompressor().stream_reader(data).read()
    assert [size for size in range(0, len(tar), 32) if verified(path, frame(tar[:size]))] == []


def test_members_come_in_order_and_the_manifest_at_the_end(place):
    x, y, manifest = plain(b"x"), plain(b"y"), manifest_of({"x": entry(b""), "y": entry(b"")})
    sig, end = plain(b"manifest.json.sig", b"s"), bytes(1024)
    for parts in (
        [y, x, manifest],
        [x, manifest, y],
        [x, y],
        [x, y, sig, manifest],
        [x, y, manifest, manifest],
        [],
        [x, y, manifest, sig, sig],
        [x, y, sig],
    ):
        assert_refused(place, frame(b"".join(parts) + end))


# --- signatures --------------------------------------------------------------------------------------


def test_who_signed_is_told(place):
    path, _, manifest = signed(place)
    assert manifest.signer == "me"
    assert bundles_read.extract(path, os.path.join(place, "out"), check_signature=check).signer == "me"
    assert bundles_read.read_manifest(path).signer == ""


def test_a_wrong_signature_leaves_nothing(place):
    path = packed(place, SMALL, sign=lambda raw: b"wrong")
    with pytest.raises(Refused, match="signature is not valid"):
        bundles_read.extract(path, os.path.join(place, "out"), check_signature=check)
    assert os.listdir(place) == ["a.rigger"]


def test_a_signature_is_checked_without_being_asked(place):
    path = packed(place, SMALL, sign=lambda raw: b"-----BEGIN SSH SIGNATURE-----\nAAAA\n")
    with pytest.raises(Refused):
        bundles_read.extract(path, os.path.join(place, "out"))
    assert os.listdir(place) == ["a.rigger"]


def test_a_signature_that_has_to_be_there_is_missed(place):
    path = packed(place, SMALL)
    with pytest.raises(Refused):
        bundles_read.extract(path, os.path.join(place, "out"), check_signature=check)
    assert os.listdir(place) == ["a.rigger"]


# --- the folder --------------------------------------------------------------------------------------


def test_a_bundle_that_cannot_be_read_is_named(place):
    for path, kind in ((os.path.join(place, "none"), BadUsage), ("/dev/zero", Refused), (place, RiggerError)):
        with pytest.raises(kind, match=os.path.basename(path)):
            bundles_read.verify(path)


# --- later formats -----------------------------------------------------------------------------------


def test_a_later_format_is_a_matter_of_the_rigger_that_reads_it(place, monkeypatch):
    path, _, _ = signed(place)
    monkeypatch.setattr(bundles_read, "FORMAT", 0)
    with pytest.raises(
        Refused, match=rf"rigger '{__version__}' wrote it in format 1, and this is rigger"
    ) as problem:
        bundles_read.verify(path)
    assert problem.value.next_step.startswith("Install that rigger or a later one")
