"""Names in a bundle: bad ones, clashing ones, unusual ones."""

from __future__ import annotations

import os

import pytest
from helpers.archives import BAD_NAMES, archive, assert_refused, entry, files_of, packed, plain, ustar

from rigger import text as texts
from rigger.bundles import names as bundles_names
from rigger.bundles import pack
from rigger.bundles import read as bundles_read
from rigger.bundles.format import Member
from rigger.errors import Refused

BAD_PAIRS = {
    "twice": [(b"a", b"a"), (b"a/b", b"a/b")],
    "case": [
        (b"A", b"a"),
        (b"A/x", b"a/y"),
        (b"d/README", b"d/readme"),
        ("É".encode(), "é".encode()),
        ("e\u0301".encode(), "\u00e9".encode()),
        (b"ss", "ß".encode()),
        (b"K", "\u212a".encode()),
    ],
    "both a file and a folder": [(b"a", b"a/b"), (b"d/a", b"d/a/b/c")],
}


@pytest.mark.parametrize(("reason", "name"), [(r, name) for r, names in BAD_NAMES.items() for name in names])
def test_a_bad_name_is_refused(place, reason, name):
    shown = texts.decode(name)
    made = [ustar(name[:100]) if not name else plain(name)]
    message = assert_refused(place, archive(made, {shown: entry(b"")}))
    assert reason in message
    problem = bundles_names.name_problem(shown)
    assert reason in (problem or "its name is the manifest's")
    with pytest.raises(Refused, match="cannot be packed"):
        pack.pack(os.path.join(place, "c"), [Member(shown, data=b"")], {})


@pytest.mark.parametrize(("reason", "pair"), [(r, pair) for r, pairs in BAD_PAIRS.items() for pair in pairs])
def test_names_that_clash_are_refused(place, reason, pair):
    message = assert_refused(place, archive(map(plain, pair), {name.decode(): entry(b"") for name in pair}))
    assert reason in message
    with pytest.raises(Refused, match="cannot be packed"):
        pack.pack(os.path.join(place, "c"), [Member(name.decode(), data=b"") for name in pair], {})


GOOD_NAMES = [
    "a:b",
    "a..b",
    ".hidden",
    "..a",
    "a b",
    "console",
    "com",
    "com10",
    "x~1",
    "日本語",
    "-rf",
    "$(x)",
    "'\"",
    "*",
]


def test_unusual_names_that_do_no_harm_are_taken(place):
    path = packed(place, {name: name.encode() for name in GOOD_NAMES})
    bundles_read.extract(path, os.path.join(place, "out"))
    assert files_of(os.path.join(place, "out")) == {name: name.encode() for name in GOOD_NAMES}
