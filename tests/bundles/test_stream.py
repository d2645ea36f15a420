"""The frame around the tar: what comes beside it, bombs, windows."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import zstandard
from conftest import ROOT
from helpers.archives import assert_refused, frame, manifest_of, plain, signed, ustar, verified, write

from rigger.bundles import read as bundles_read
from rigger.bundles.format import Limits

# --- damage ------------------------------------------------------------------------------------------

EXTRAS = {
    "a byte": b"\0",
    "zeros": bytes(1024),
    "an empty frame": frame(b""),
    "a second frame": frame(bytes(1024)),
    "a skippable frame": b"\x50\x2a\x4d\x18\x04\0\0\0abcd",
}


@pytest.mark.parametrize("extra", EXTRAS.values(), ids=EXTRAS)
def test_nothing_may_come_after_or_before_the_frame(place, extra):
    path, data, _ = signed(place)
    assert verified(path, data + extra) is None
    assert verified(path, extra + data) is None


def test_a_frame_without_a_checksum_is_refused(place):
    data = zstandard.ZstdCompressor().compress(manifest_of({}) + bytes(1024))
    assert "not a bundle" in assert_refused(place, data)
    assert bundles_read.verify(write(place, frame(manifest_of({}) + bytes(1024)))).files == {}


# --- bombs -------------------------------------------------------------------------------------------


def bomb(blocks):
    """A frame of blocks that each say "128 KiB of this byte" in four bytes."""
    tar_head = ustar(b"bomb", size=8**11 - 1)
    raw = (len(tar_head) << 3).to_bytes(3, "little") + tar_head
    repeat = (128 * 1024 << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x04\x58" + raw + repeat * blocks + b"\x01\0\0" + b"sum!"


def test_a_bomb_of_20_gb_is_refused_in_little_memory(place):
    path = write(place, bomb(160_000))
    script = (
        "import resource, sys\n"
        "from rigger import errors\nfrom rigger.bundles import read\n"
        "import zstandard\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read.extract(sys.argv[1], sys.argv[2])\n"
        "except errors.Refused as refused: print(refused)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, path, os.path.join(place, "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    message, kilobytes = done.stdout.splitlines()
    assert "'bomb' is larger than" in message
    assert int(kilobytes) < 64 * 1024
    assert os.listdir(place) == ["b.rigger"]


def test_a_bomb_that_tells_small_sizes_is_stopped_too(place):
    files = [plain(b"%06d" % n, bytes(4000)) for n in range(3000)]
    message = assert_refused(place, frame(b"".join(files)), limits=Limits(always=1_000_000, ratio=20))
    assert "unpacks to more than 1000000 bytes" in message


def test_a_frame_that_needs_a_large_window_is_refused(place):
    parameters = zstandard.ZstdCompressionParameters(
        window_log=27, write_checksum=True, write_content_size=False
    )
    data = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = data.compress(manifest_of({}) + bytes(1024)) + data.flush()
    assert "of memory to unpack" in assert_refused(place, data)
