"""Headers, kinds and padding of members, made by hand."""

from __future__ import annotations

import pytest
from helpers.archives import BAD_HEADERS, BAD_PAX, KINDS, archive, assert_refused, entry, plain, ustar

# --- hostile archives --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "reason"), KINDS.items(), ids=KINDS.values())
def test_anything_but_a_plain_file_is_refused(place, kind, reason):
    member = ustar(b"x", kind=kind, link=b"/etc/passwd")
    assert reason in assert_refused(place, archive([member], {"x": entry(b"")}))


@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_header_that_rigger_does_not_write_is_refused(place, header):
    # The set-id bits are in the manifest too, so that nothing but the header speaks against it.
    mode = header["mode"] if isinstance(header.get("mode"), int) else 0o600
    assert_refused(place, archive([ustar(**{"name": b"x", **header})], {"x": entry(b"", mode)}))


@pytest.mark.parametrize("header", BAD_PAX.values(), ids=BAD_PAX)
def test_a_pax_header_that_rigger_does_not_write_is_refused(place, header):
    assert_refused(place, archive([header, plain(b"x")], {"x": entry(b"")}))


# --- damage ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"", bytes(512), bytes(1025), bytes(1536), bytes(1024) + plain(b"x")])
def test_the_tar_ends_with_two_blocks_of_zeros(place, end):
    assert_refused(place, archive([plain(b"x")], {"x": entry(b"")}, end))


def test_padding_has_to_be_empty(place):
    assert "between" in assert_refused(place, archive([plain(b"x", b"1")[:-1] + b"\1"], {"x": entry(b"1")}))
