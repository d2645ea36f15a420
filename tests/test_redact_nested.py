"""Secrets in layers: compressed, encoded and quoted, one in the other."""

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import random
import urllib.parse
import zipfile
import zlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from rigger.redact import layers
from rigger.redact.nested import SecretSearch, holding

SECRET = 'sw0rd/f1sh "& <Sentinel>'


def zipped(data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state", data)
    return file.getvalue()


def wrapped(data):
    return b"  " + base64.encodebytes(data).replace(b"\n", b"\n  ")


LAYERS = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "zip": zipped,
    "base64": base64.b64encode,
    "base64 for URLs": base64.urlsafe_b64encode,
    "base64 in lines": wrapped,
    "hex": lambda data: data.hex().encode(),
    "HEX": lambda data: data.hex().upper().encode(),
    "JSON": lambda data: json.dumps(data.decode("latin-1")).encode(),
    "JSON with \\/": lambda data: json.dumps(data.decode("latin-1")).replace("/", "\\/").encode(),
    "URL": lambda data: urllib.parse.quote_from_bytes(data, safe="").encode(),
    "HTML": lambda data: html.escape(data.decode("latin-1")).encode("latin-1"),
    "HTML, numbers": lambda data: "".join(f"&#{byte};" for byte in data).encode(),
}
BEFORE = b'{"user": "a word", "data": '


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_every_layer_is_looked_into(layer):
    search = SecretSearch([SECRET, "another-one"])
    text = b"some words, and then " + SECRET.encode() + b", more of them"
    assert search.holds(BEFORE + layer(text) + b'"}')
    assert not search.holds(BEFORE + layer(text.replace(b"f1sh", b"fish")) + b'"}')


@settings(max_examples=150, deadline=None)
@given(names=st.lists(st.sampled_from([*LAYERS]), min_size=1, max_size=3), noise=st.integers(0, 40))
def test_layers_in_layers(names, noise):
    data = b"n" * noise + b" " + b"sw0rd-f1sh-Sentinel" + b" and more" * 3
    for name in names:
        if data.isascii() or not name.startswith(("JSON", "HTML")):  # which are for text
            data = LAYERS[name](data)
    assert SecretSearch(["sw0rd-f1sh-Sentinel"]).holds(b"x = " + data)


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf_16_in_base64_and_base64_twice(order):
    search = SecretSearch([SECRET])
    assert search.holds(b"-EncodedCommand " + base64.b64encode(f"x {SECRET} y".encode(order)))
    assert search.holds(f"x {SECRET} y".encode(order))
    for before in range(9):
        twice = base64.b64encode(base64.b64encode(b"u" * before + SECRET.encode()))
        assert search.holds(b"x " + twice)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_nothing_is_found_where_nothing_is_and_no_bytes_do_harm(data):
    search = SecretSearch(["this is not in random bytes"])
    assert (
        not search.holds(data)
        and not search.holds(b"\x1f\x8b\x08" + data)
        and not search.holds(b"PK\3\4" + data)
    )
    assert not SecretSearch([]).holds(data)


@pytest.mark.slow
def test_what_is_much_when_it_is_decompressed():
    much = random.Random(3).randbytes(3 << 20)
    secret = "sw0rd-f1sh-Sentinel"
    for compress in (gzip.compress, zstandard.ZstdCompressor().compress, zlib.compress):
        for data in (much + secret.encode(), bytes(70 << 20) + secret.encode()):
            assert SecretSearch([secret]).holds(compress(data))


@pytest.mark.parametrize("layer", LAYERS)
def test_a_value_that_has_a_secret_in_a_layer_is_one(layer):
    inner = base64.b64encode(LAYERS[layer](b"user:" + SECRET.encode() + b"\n")).decode()
    values = {"LOGIN": inner, "OTHER": base64.b64encode(b"user:nobody at all\n").decode(), "VERSION": inner}
    assert holding(values, [SECRET]) == {"LOGIN"}


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(st.sampled_from([*LAYERS]), min_size=1, max_size=3),
    noise=st.integers(0, 40),
    size=st.sampled_from([1, 3, 7, 50]),
)
def test_layers_in_layers_wherever_blocks_are_cut(names, noise, size):
    data = b"n" * noise + b" " + b"sw0rd-f1sh-Sentinel" + b" and more" * 3
    for name in names:
        if data.isascii() or not name.startswith(("JSON", "HTML")):
            data = LAYERS[name](data)
    data = b"x = " + data
    search = SecretSearch(["sw0rd-f1sh-Sentinel"])
    assert search.holds_any(data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("outer", ["base64", "base64 in lines", "hex", "URL"])
def test_what_is_compressed_and_written_in_digits_over_many_blocks(outer):
    noise = random.Random(4).randbytes(400_000)
    data = LAYERS[outer](gzip.compress(noise + SECRET.encode() + noise))
    blocks = [data[start : start + 4096] for start in range(0, len(data), 4096)]
    assert SecretSearch([SECRET]).holds_any(blocks)
    assert not SecretSearch([SECRET[::-1]]).holds_any(blocks)


@pytest.mark.parametrize("longest", [1, 3, 30, 60])
def test_rows_of_digits_are_found_among_few_blanks_and_among_many(longest):
    """Each row of 24 and more, of an even or an odd number of digits, and no shorter one."""
    chance = random.Random(longest)
    for _ in range(50):
        words = [chance.randbytes(chance.randrange(longest)).hex()[chance.randrange(2) :] for _ in range(200)]
        words += [chance.randbytes(12).hex()[cut:] for cut in (0, 0, 1)]
        chance.shuffle(words)
        rows = [word for word in words if len(word) >= 24]
        text = (" " * chance.randrange(2) + " ".join(words) + " " * chance.randrange(2)).encode()
        whole = bytes.fromhex("".join(row + "0" * (len(row) % 2) for row in rows))
        assert layers.Digits(layers.HEX).feed(text, final=True)[0] == whole
