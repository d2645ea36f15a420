"""Bundles: what went in comes out, nothing else is taken, and nothing is ever half there."""

from __future__ import annotations

import base64
import dataclasses
import errno
import io
import itertools
import json
import os
import random
import shlex
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import time
import unicodedata
import urllib.parse
from hashlib import sha256

import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rigger import files
from rigger import files as filess
from rigger import text as texts
from rigger.bundles import extract, pack, stream, threads
from rigger.bundles import format as bundle_format
from rigger.bundles import names as bundles_names
from rigger.bundles import read as bundles_read
from rigger.bundles.format import Limits, Member
from rigger.envfile import file as envfile
from rigger.errors import BadUsage, NotReady, Refused, RiggerError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NO_DATABASE = {
    "deadline": None,
    "database": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


def tree(folder):
    """All that lies in a folder: for each file its contents, for anything else what it is."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = os.path.join(place, name)
            mode = os.lstat(path).st_mode
            with open(path, "rb") if stat.S_ISREG(mode) else io.BytesIO() as file:
                found[os.path.relpath(path, folder)] = (mode, file.read())
    return found


def files_of(folder):
    return {name: data for name, (mode, data) in tree(folder).items() if stat.S_ISREG(mode)}


@pytest.fixture
def place(tmp_path):
    """A folder of its own for the bundle and for what is unpacked; nothing else may ever appear in it."""
    folder = tmp_path / "place"
    folder.mkdir()
    return str(folder)


def packed(place, contents, **options):
    path = os.path.join(place, "a.rigger")
    members = [Member(name, data=data, mtime=1_700_000_000) for name, data in contents.items()]
    pack.pack(path, members, {"name": "demo", "serial": 3}, **options)
    return path


SMALL = {"vars": b'export A="1"\n', "runs/1/plan.json": b"[]", "audit.jsonl": b'{"seq": 1}\n' * 3}


# --- round trips -------------------------------------------------------------------------------------

PARTS = st.one_of(
    st.text(st.sampled_from("abAB.-_ é日"), min_size=1, max_size=6),
    st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.text(st.sampled_from("xyzé"), min_size=60, max_size=120),
).filter(lambda part: bundles_names.name_problem(part) is None)
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
CONTENTS = st.one_of(
    st.binary(max_size=1100),
    st.integers(0, 3).map(lambda n: bytes(512 * n)),
    st.integers(900_000, 1_200_000).map(lambda n: b"line\n" * (n // 5)),
)


def without_clashes(contents):
    """Those names that can lie side by side on any file system."""
    taken, chosen = {"manifest.json": None, "manifest.json.sig": None}, {}
    for name, content in contents.items():
        folded = [
            unicodedata.normalize("NFD", unicodedata.normalize("NFD", part).casefold())
            for part in name.split("/")
        ]
        prefixes = {"/".join(folded[:n]): name.split("/")[:n] for n in range(1, len(folded))}
        whole = "/".join(folded)
        if whole in taken or any(taken.get(prefix, parts) != parts for prefix, parts in prefixes.items()):
            continue
        taken.update(prefixes)
        taken[whole] = None
        chosen[name] = content
    return chosen


@settings(max_examples=150, **NO_DATABASE)
@given(
    st.dictionaries(NAMES, st.tuples(CONTENTS, st.booleans(), st.integers(0, 2**33 - 1)), max_size=8).map(
        without_clashes
    )
)
def test_what_is_packed_comes_out_again(tmp_path_factory, contents):
    place = str(tmp_path_factory.mktemp("trip"))
    path, source, out = (os.path.join(place, name) for name in ("b.rigger", "source", "out"))
    os.mkdir(source)
    members = []
    for number, (name, (content, run, mtime)) in enumerate(contents.items()):
        file = os.path.join(source, str(number))
        with open(file, "wb") as opened:
            opened.write(content)
        os.chmod(file, 0o755 if run else 0o644)
        os.utime(file, (mtime, mtime))
        members.append(Member(name, file))
    made = pack.pack(path, members, {"name": "x"})
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert made.size == os.path.getsize(path)
    read = bundles_read.extract(path, out)
    assert read == made.manifest == bundles_read.verify(path) == bundles_read.read_manifest(path)
    assert files_of(out) == {name: content for name, (content, _, _) in contents.items()}
    for name, (_, run, mtime) in contents.items():
        status = os.stat(os.path.join(out, name))
        assert stat.S_IMODE(status.st_mode) == (0o700 if run else 0o600)
        assert status.st_mtime == mtime
    assert all(stat.S_IMODE(mode) == 0o700 for mode, _ in tree(out).values() if stat.S_ISDIR(mode))
    assert set(os.listdir(place)) == {"b.rigger", "source", "out"}


def test_tar_lists_and_unpacks_it(place):
    names = ["a/b", "long/" + "x" * 180, "z", "é/日本"]
    path = packed(place, {name: name.encode() for name in names}, sign=lambda raw: b"signature")
    listed = subprocess.run(
        ["tar", "--zstd", "--quoting-style=literal", "-tf", path], capture_output=True, check=True
    )
    assert listed.stderr == b""
    assert listed.stdout.decode().splitlines() == [*names, "manifest.json", "manifest.json.sig"]
    out = os.path.join(place, "out")
    os.mkdir(out)
    subprocess.run(["tar", "--zstd", "-xf", path, "-C", out], check=True)
    found = files_of(out)
    manifest = json.loads(found.pop("manifest.json"))
    assert found.pop("manifest.json.sig") == b"signature"
    assert found == {name: name.encode() for name in names}
    assert manifest["name"] == "demo" and manifest["format"] == 1
    assert manifest["files"]["z"] == {
        "size": 1,
        "sha256": sha256(b"z").hexdigest(),
        "mode": "0600",
        "mtime": 1_700_000_000,
    }


def test_python_reads_it_too(place):
    path = packed(place, {"é" * 80: b"1", "b" * 101: b"2", "c": b"3"})
    with open(path, "rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as plain:
        with tarfile.open(fileobj=io.BytesIO(plain.read())) as archive:
            assert {info.name for info in archive} == {"é" * 80, "b" * 101, "c", "manifest.json"}


def test_the_manifest_has_the_callers_fields(place):
    manifest = bundles_read.read_manifest(packed(place, SMALL))
    assert (manifest.fields["name"], manifest.fields["serial"]) == ("demo", 3)
    assert list(manifest.files) == sorted(SMALL)
    with pytest.raises(ValueError, match="files"):
        pack.pack(os.path.join(place, "b"), [], {"files": {}})


def test_a_bundle_that_is_there_is_replaced_only_when_all_is_well(place):
    path = packed(place, SMALL)
    before = files_of(place)
    with pytest.raises(Refused):
        packed(place, {"x": b"hunter2-hunter2"}, secrets=["hunter2-hunter2"])
    assert files_of(place) == before
    packed(place, {"other": b"1"})
    assert list(bundles_read.verify(path).files) == ["other"]


def test_differences_are_told_by_name(place):
    a = bundles_read.read_manifest(packed(place, {"same": b"1", "gone": b"2", "other": b"3"}))
    b = bundles_read.read_manifest(packed(place, {"same": b"1", "new": b"2", "other": b"4"}))
    assert bundle_format.diff(a, b) == bundle_format.Difference(("new",), ("gone",), ("other",))
    assert bundle_format.diff(a, b) and not bundle_format.diff(a, a)


def test_more_blocks_than_there_are_at_once_go_through(place):
    chance = random.Random(1)
    contents = {
        f"f{n}": chance.randbytes(size)
        for n, size in enumerate([5_000_000, 0, 1, 2**20, 2**20 - 512, 9_000_000])
    }
    path = packed(place, contents)
    out = os.path.join(place, "out")
    bundles_read.extract(path, out)
    assert files_of(out) == contents


# --- what cannot be packed ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "fifo", "socket"])
def test_only_plain_files_are_packed(place, tmp_path, kind):
    odd = str(tmp_path / "odd")
    sock = socket.socket(socket.AF_UNIX)
    {
        "link": lambda: os.symlink("/etc/passwd", odd),
        "dangling": lambda: os.symlink("/nowhere", odd),
        "folder": lambda: os.mkdir(odd),
        "fifo": lambda: os.mkfifo(odd),
        "socket": lambda: sock.bind(odd),
    }[kind]()
    with sock, pytest.raises(Refused, match="'name' cannot be packed: it is not a plain file"):
        pack.pack(os.path.join(place, "b"), [Member("name", odd)], {})
    assert os.listdir(place) == []


def test_a_file_that_is_not_there_is_named(place):
    with pytest.raises(NotReady, match="Cannot read /nowhere/x: No such file"):
        pack.pack(os.path.join(place, "b"), [Member("x", "/nowhere/x")], {})


@pytest.mark.parametrize("change", [b"", b"shorter", b"longer than it was before", b"as long as"])
def test_a_file_that_changes_while_it_is_read_is_noticed(place, tmp_path, monkeypatch, change):
    file = tmp_path / "log"
    file.write_bytes(b"as long as")
    os.utime(file, (1, 1))

    def readv(fd, buffers):
        count = os.readv(fd, buffers)
        file.write_bytes(change)
        return count

    replace_os(monkeypatch, Faulty(readv=readv))
    with pytest.raises(NotReady, match="'the/log' changed while it was read"):
        pack.pack(os.path.join(place, "b"), [Member("the/log", str(file))], {})
    assert os.listdir(place) == []


def test_what_would_be_refused_when_loaded_is_not_packed(place):
    zeros = {"zeros": bytes(3_000_000)}
    tight = Limits(always=1_000_000, ratio=10)
    for contents, limits in (
        (zeros, tight),
        (zeros, Limits(file=1000)),
        (zeros, Limits(total=1000)),
        (SMALL, Limits(count=2)),
        (SMALL, Limits(manifest=100)),
    ):
        with pytest.raises(Refused):
            packed(place, contents, limits=limits)
        assert os.listdir(place) == []


# --- secrets -----------------------------------------------------------------------------------------

SECRET = 'p@ss w\'rd "é" $x/`y`\\~<&>+%!#'
ENCODED = {
    "plain": SECRET.encode(),
    "URL": urllib.parse.quote(SECRET).encode(),
    "URL, form": urllib.parse.quote_plus(SECRET).encode(),
    "JSON": json.dumps(SECRET)[1:-1].encode(),
    "JSON, not ASCII": json.dumps(SECRET, ensure_ascii=False)[1:-1].encode(),
    "shell": shlex.quote(SECRET).encode(),
    "vars file": envfile.quote(SECRET).encode(),
    **{
        f"base64 after {n}": base64.b64encode(bytes(range(65, 65 + n)) + SECRET.encode() + b"more")
        for n in range(4)
    },
    "base64, URL": base64.urlsafe_b64encode(SECRET.encode()),
    "base64, lines": base64.encodebytes(SECRET.encode() * 1),
}


@pytest.mark.parametrize("encoded", ENCODED.values(), ids=ENCODED)
def test_a_secret_in_any_form_is_refused_by_the_name_of_its_file(place, encoded):
    with pytest.raises(Refused) as refused:
        packed(
            place,
            {**SMALL, "state/x": b"before " + encoded + b" after"},
            secrets=["unrelated-secret", SECRET],
        )
    assert "there are secrets in 'state/x'." in refused.value.message
    assert os.listdir(place) == []


def test_a_secret_in_the_manifest_or_a_name_is_refused_and_not_shown(place):
    secret = "hunter2-hunter2"
    for members, fields, shown in (
        ([], {"note": f"<{secret}>"}, "'manifest.json'"),
        ([Member(f"a/{secret}.log", data=b"")], {}, "'a/***.log'"),
    ):
        with pytest.raises(Refused) as refused:
            pack.pack(os.path.join(place, "b"), members, fields, secrets=[secret])
        assert shown in refused.value.message
        assert secret not in refused.value.message + refused.value.next_step
    assert os.listdir(place) == []


def test_nobody_is_asked_to_sign_what_has_a_secret_in_it(place):
    with pytest.raises(Refused):
        packed(place, {"x": SECRET.encode()}, secrets=[SECRET], sign=lambda raw: pytest.fail("asked"))


@pytest.mark.parametrize("back", [0, 1, 5, 14, 15, 16])
def test_a_secret_across_two_blocks_is_found(place, back):
    secret = b"hunter2-hunter2"
    content = b"." * (threads.BLOCK - 512 - back) + secret + b"." * 1000
    with pytest.raises(Refused, match="'x'"):
        packed(place, {"x": content}, secrets=[secret.decode()])


def test_a_key_is_found_by_one_of_its_lines_and_not_by_its_frame(place):
    lines = [random.Random(n).randbytes(48) for n in range(5)]
    frame = "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n"
    body = [base64.b64encode(line).decode() + "\n" for line in lines]
    key = frame[0] + "".join(body) + frame[1]
    packed(place, {"how-to": "".join(frame).encode()}, secrets=[key])
    for leak in (body[2].encode(), base64.b64encode(key.encode()), json.dumps({"key": key}).encode()):
        with pytest.raises(Refused, match="'leak'"):
            packed(place, {"leak": leak}, secrets=[key])


def test_compressed_bytes_that_look_like_a_secret_by_chance_are_written_another_way(place):
    chance = random.Random(1)
    text = "".join(f"line {chance.randrange(10**6)} of a log\n" for _ in range(20_000)).encode()
    path = packed(place, {"log": text})
    with open(path, "rb") as file:
        data = file.read()
    chosen = next(
        data[at : at + 4] for at in range(5000, len(data)) if data[at] > 127 and data[at : at + 4] not in text
    )
    packed(place, {"log": text}, secrets=[texts.decode(chosen)])
    with open(path, "rb") as file:
        assert chosen not in file.read()
    bundles_read.verify(path)


# --- hostile archives --------------------------------------------------------------------------------


def ustar(
    name,
    size=0,
    mode=0o600,
    mtime=1,
    kind=b"0",
    uid=0,
    link=b"",
    magic=b"ustar\x0000",
    major=0,
    prefix=b"",
    checksum=None,
):
    """A header block made by hand; a number may also be given as the bytes of its field."""
    block = bytearray(512)
    for at, width, value in (
        (0, 0, name),
        (100, 7, mode),
        (108, 7, uid),
        (116, 7, 0),
        (124, 11, size),
        (136, 11, mtime),
        (156, 0, kind),
        (157, 0, link),
        (257, 0, magic),
        (329, 7, major),
        (337, 7, 0),
        (345, 0, prefix),
    ):
        data = value if isinstance(value, bytes) else b"%0*o\0" % (width, value)
        block[at : at + len(data)] = data
    block[148:156] = b"%06o\0 " % (sum(block) + 8 * 32 if checksum is None else checksum)
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


def pax(key, value, size=None):
    body = b" %s=%s\n" % (key, value)
    size = (
        next(n for n in range(len(body), len(body) + 9) if len(str(n)) + len(body) == n)
        if size is None
        else size
    )
    record = b"%d%s" % (size, body)
    return ustar(b"PaxHeader", len(record), mtime=0, kind=b"x") + padded(record)


def plain(name, data=b"", mode=0o600, **header):
    """A member; the name as pax wants it when it is long or not ASCII."""
    if len(name) <= 100 and name.isascii():
        return ustar(name, len(data), mode, **header) + padded(data)
    short = name.decode(errors="replace").encode("ascii", "replace")[:100]
    return pax(b"path", name) + ustar(short, len(data), mode, **header) + padded(data)


def entry(data, mode=0o600, mtime=1):
    return {"size": len(data), "sha256": sha256(data).hexdigest(), "mode": f"{mode:04o}", "mtime": mtime}


def manifest_of(files, **fields):
    content = {"format": 1, "rigger": "0.1.0", "files": files, **fields}
    return plain(b"manifest.json", json.dumps(content).encode())


def frame(tar, level=1, **options):
    return zstandard.ZstdCompressor(
        level=level, write_checksum=True, write_content_size=False, **options
    ).compress(tar)


def archive(members, files, end=bytes(1024)):
    return frame(b"".join(members) + manifest_of(files) + end)


def write(place, data):
    path = os.path.join(place, "b.rigger")
    with open(path, "wb") as file:
        file.write(data)
    return path


def assert_refused(place, data, **options):
    """Every way of reading refuses it, and nothing of it is anywhere."""
    path = write(place, data)
    around = tree(os.path.dirname(place))
    with pytest.raises(Refused) as refused:
        bundles_read.extract(path, os.path.join(place, "out"), durable=False, **options)
    assert tree(os.path.dirname(place)) == around
    with pytest.raises(Refused):
        bundles_read.verify(path, **options)
    assert refused.value.message.startswith(f"The bundle {path} was refused: ")
    assert refused.value.message.isprintable()
    return refused.value.message


def test_an_archive_made_by_hand_is_taken(place):
    name, data = "é".encode(), b"data"
    files = {"a/b": entry(b"1"), "é": entry(data, 0o700)}
    path = write(place, archive([plain(b"a/b", b"1"), plain(name, data, 0o700)], files))
    bundles_read.extract(path, os.path.join(place, "out"))
    assert files_of(os.path.join(place, "out")) == {"a/b": b"1", "é": data}


BAD_NAMES = {
    "climbs": [b"../x", b"a/../../x", b"a/..", b"..", b"../../../../../../../../tmp/h1-outside"],
    "absolute": [b"/etc/x", b"//x", b"/"],
    "empty": [b"a//b", b"a/", b""],
    "'.'": [b"./a", b"a/./b", b".", b"./"],
    "backslash": [b"a\\b", b"..\\x", b"C:\\x"],
    "control": [
        b"a\nb",
        b"a\x1b[2Jb",
        b"a\x7f",
        b"\tx",
        "a\u202eb".encode(),
        "\x9b2J".encode(),
        "a\u2028b".encode(),
    ],
    "UTF-8": [b"a\xff", b"\xc0\xae\xc0\xae/x", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"],
    "longer": [b"x" * 256, "é".encode() * 128, b"x" * 83 + b"/" + b"/".join([b"x" * 250] * 16)],
    "deep": [b"/".join([b"d"] * 33)],
    "ends with": [b"a.", b"a ", b"a./b", b"... ", b"..."],
    "device": [b"CON", b"nul.txt", b"a/aux", b"com1", b"LPT9.log", b"prn .x", b"NUL:x", "com¹".encode()],
    "manifest's": [b"Manifest.json", b"MANIFEST.JSON.SIG"],
}
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


KINDS = {
    b"1": "hard link",
    b"2": "symbolic link",
    b"3": "character device",
    b"4": "block device",
    b"5": "folder",
    b"6": "FIFO",
    b"7": "contiguous",
    b"S": "sparse",
    b"L": "GNU long name",
    b"K": "GNU long link",
    b"g": "global pax",
    b"M": "volumes",
    b"V": "volume label",
    b"\0": "old format",
    b"Z": "unknown kind",
}


@pytest.mark.parametrize(("kind", "reason"), KINDS.items(), ids=KINDS.values())
def test_anything_but_a_plain_file_is_refused(place, kind, reason):
    member = ustar(b"x", kind=kind, link=b"/etc/passwd")
    assert reason in assert_refused(place, archive([member], {"x": entry(b"")}))


BAD_HEADERS = {
    "size in base 256": {"size": b"\x80" + bytes(11)},
    "negative size in base 256": {"size": b"\xff" * 12},
    "signed size": {"size": b"-0000000001\0"},
    "size with spaces": {"size": b"         0 \0"},
    "size without an end": {"size": b"000000000000"},
    "empty size": {"size": bytes(12)},
    "size that is not there": {"size": 10**6},
    "the largest size": {"size": 8**11 - 1},
    "no magic": {"magic": bytes(8)},
    "GNU magic": {"magic": b"ustar  \0"},
    "set-uid": {"mode": 0o4700},
    "set-gid": {"mode": 0o2700},
    "sticky": {"mode": 0o1700},
    "others may read": {"mode": 0o644},
    "nobody may read": {"mode": 0},
    "mode with a file type": {"mode": 0o100600},
    "another user": {"uid": 1000},
    "a link's target": {"link": b"/etc/passwd"},
    "a prefix": {"prefix": b"a"},
    "a climbing prefix": {"prefix": b".."},
    "bytes after the name": {"name": b"x\0y"},
    "device number": {"major": 1},
    "checksum": {"checksum": 1},
    "negative time": {"mtime": b"\xff" * 12},
}


@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_header_that_rigger_does_not_write_is_refused(place, header):
    # The set-id bits are in the manifest too, so that nothing but the header speaks against it.
    mode = header["mode"] if isinstance(header.get("mode"), int) else 0o600
    assert_refused(place, archive([ustar(**{"name": b"x", **header})], {"x": entry(b"", mode)}))


BAD_PAX = {
    "size": pax(b"size", b"0"),
    "a link's target": pax(b"linkpath", b"/etc/passwd"),
    "sparse": pax(b"GNU.sparse.size", b"1"),
    "two paths": ustar(b"PaxHeader", 26, mtime=0, kind=b"x") + padded(b"12 path=aaa\n13 path=../b\n"),
    "no length": ustar(b"PaxHeader", 8, mtime=0, kind=b"x") + padded(b" path=a\n"),
    "length 0": pax(b"path", b"x", size=0),
    "a length too large": pax(b"path", b"x", size=99999),
    "a NUL in the path": pax(b"path", b"x\0y"),
    "a path that needs none": pax(b"path", b"x"),
    "larger than any path": ustar(b"PaxHeader", 8**10, mtime=0, kind=b"x"),
    "another name": ustar(b"../x", 11, mtime=0, kind=b"x") + padded(b"11 path=xx\n"),
    "one after another": pax(b"path", b"y" * 120) + pax(b"path", b"x" * 120),
    "bytes after the record": ustar(b"PaxHeader", 512, mtime=0, kind=b"x")
    + b"11 path=xx\n"
    + b"7 a=bb\n"
    + bytes(494),
}


@pytest.mark.parametrize("header", BAD_PAX.values(), ids=BAD_PAX)
def test_a_pax_header_that_rigger_does_not_write_is_refused(place, header):
    assert_refused(place, archive([header, plain(b"x")], {"x": entry(b"")}))


def members_of_cves():
    """What the archives of published attacks consist of, in the order in which they come."""
    outside = b"../" * 12 + b"tmp/rigger-outside"
    deep = b"/".join([b"d" * 247] * 16)  # whose path is longer than what realpath() looks at
    links = [ustar(bytes([97 + n]) * 90, kind=b"2", link=b"d" * 90) for n in range(16)]
    return {
        "CVE-2001-1267 (GNU tar), CVE-2007-4559 (Python): climbing": [plain(outside, b"x")],
        "CVE-2007-4559: absolute": [plain(b"/tmp/rigger-outside", b"x")],
        "CVE-2007-4559: through a link": [
            ustar(b"l", kind=b"2", link=b"/tmp"),
            plain(b"l/rigger-outside", b"x"),
        ],
        "CVE-2018-20834 (node-tar): hard link, then a file of its name": [
            ustar(b"x", kind=b"1", link=b"/etc/passwd"),
            plain(b"x", b"root"),
        ],
        "CVE-2019-20907 (Python): a pax record of length 0": [
            ustar(b"PaxHeader", 17, kind=b"x") + padded(b"0 hdrcharset=BIN\n"),
            plain(b"x"),
        ],
        "CVE-2021-32803 (node-tar): a folder, then a link of its name": [
            ustar(b"d/", kind=b"5"),
            ustar(b"d", kind=b"2", link=b"/tmp"),
            plain(b"d/rigger-outside", b"x"),
        ],
        "CVE-2021-32804 (node-tar): absolute after stripping": [plain(b"////tmp/rigger-outside", b"x")],
        "CVE-2021-37701 (node-tar): backslashes": [ustar(b"a\\b", kind=b"2", link=b"/tmp"), plain(b"a/b/x")],
        "CVE-2021-37712 (node-tar): other normal forms": [
            ustar("e\u0301".encode(), kind=b"2", link=b"/tmp"),
            plain("\u00e9/x".encode()),
        ],
        "CVE-2021-37713 (node-tar): a drive": [plain(b"C:../../rigger-outside", b"x")],
        "CVE-2014-9390 (git): a folder in other case": [
            plain(b".git/a"),
            plain(b".GIT/hooks/post-checkout", b"x", 0o700),
        ],
        "CVE-2024-12718 (Python): mode and time of a file outside": [
            ustar(b"l", kind=b"2", link=b".."),
            ustar(b"l/", mode=0o777, kind=b"5"),
        ],
        "CVE-2025-4138 (Python): a link out by a long path": [
            *links,
            ustar(b"out", kind=b"2", link=b"/".join([b"a" * 90] * 2) + b"/../.."),
            plain(b"out/x"),
        ],
        "CVE-2025-4330 (Python): a hard link to a link out": [
            ustar(b"a/b", kind=b"2", link=b"../../rigger-outside"),
            ustar(b"h", kind=b"1", link=b"a/b"),
        ],
        "CVE-2025-4435 (Python): what comes after a refused member": [
            ustar(b"x", kind=b"2", link=b"/etc/passwd"),
            plain(b"innocent", b"x"),
        ],
        "CVE-2025-4517 (Python): more than PATH_MAX": [
            *links,
            pax(b"path", deep) + ustar(deep[:100], kind=b"2", link=b"../" * 16),
            plain(deep + b"/" + outside),
        ],
        "CVE-2025-8194 (Python): a negative offset": [ustar(b"x", size=b"\xff" * 11 + b"\x00"), plain(b"y")],
        "CVE-2023-39804 (GNU tar): an extended header of odd keys": [
            pax(b"SCHILY.xattr." + b"A" * 3000, b"x"),
            plain(b"x"),
        ],
    }


@pytest.mark.parametrize("members", members_of_cves().values(), ids=members_of_cves())
def test_a_published_attack_is_refused(place, members):
    assert_refused(place, archive([plain(b"before", b"x"), *members], {"before": entry(b"x")}))
    assert not os.path.exists("/tmp/rigger-outside")


# Each makes of a good archive one that has to be refused.
HOSTILE_NAMES = st.one_of(
    st.sampled_from([name for names in BAD_NAMES.values() for name in names if name]),
    st.builds(
        lambda up, name: b"../" * up + name,
        st.integers(1, 20),
        st.sampled_from([b"x", b"tmp/x", b"etc/cron.d/x"]),
    ),
    st.builds(
        lambda a, bad, b: b"/".join([a, bad, b]),
        st.sampled_from([b"a", b"runs"]),
        st.sampled_from([b"..", b".", b"", b"x.", b"x ", b"nul", b"a\nb", b"a\\b", b"\xff"]),
        st.sampled_from([b"x", b"y"]),
    ),
    st.binary(min_size=1, max_size=40).filter(lambda raw: b"\0" not in raw).map(lambda raw: b"\x01" + raw),
)
HOSTILE_MEMBERS = st.one_of(
    HOSTILE_NAMES.map(plain),
    st.builds(
        lambda name, kind, link: ustar(name, kind=kind, link=link),
        st.sampled_from([b"x", b"vars", b"a/b", b"runs"]),
        st.sampled_from([*KINDS]),
        st.sampled_from([b"", b"/etc/passwd", b"..", b"../../x", b"vars"]),
    ),
    st.sampled_from([header for header in BAD_HEADERS.values()]).map(
        lambda header: ustar(**{"name": b"x", **header})
    ),
    st.sampled_from([*BAD_PAX.values()]).map(lambda header: header + plain(b"x")),
    st.binary(min_size=512, max_size=512).filter(any),
    st.builds(lambda at, bit: flipped(plain(b"x"), at, bit), st.integers(0, 511), st.integers(0, 7)),
    st.sampled_from([b"VARS", b"vars", b"runs/1/PLAN.json", b"runs", b"runs/1/plan.json/x", b"Runs/2"]).map(
        plain
    ),
)


def flipped(data, at, bit=0):
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


@st.composite
def hostile(draw):
    """A good archive with hostile members at any place, in the manifest too as far as that is possible."""
    good = {
        "audit.jsonl": b"{}\n",
        "runs/1/plan.json": b"[]" * draw(st.sampled_from([1, 300])),
        "vars": b"A=1\n",
    }
    members = [plain(name.encode(), data) for name, data in good.items()]
    files = {name: entry(data) for name, data in good.items()}
    for member in draw(st.lists(HOSTILE_MEMBERS, min_size=1, max_size=3)):
        name = member[:100].rstrip(b"\0")
        in_order = sum(other[:100].rstrip(b"\0") < name for other in members)
        members.insert(draw(st.one_of(st.just(in_order), st.integers(0, len(members)))), member)
        if draw(st.booleans()):
            files[texts.decode(name)] = entry(b"")
    # One that a careless reader would obey, had it got this far.
    members.append(plain(b"zz", b"after"))
    files["zz"] = entry(b"after")
    return archive(members, files)


def assert_nothing_left(place, data):
    path = write(place, data)
    with pytest.raises(Refused):
        bundles_read.extract(path, os.path.join(place, "out"), durable=False)
    assert os.listdir(place) == ["b.rigger"]
    assert os.listdir(os.path.dirname(place)) == ["place"]


@settings(max_examples=1200, **NO_DATABASE)
@given(hostile())
def test_hostile_archives_are_refused_and_leave_nothing(place, data):
    assert_nothing_left(place, data)


@settings(max_examples=300, **NO_DATABASE)
@given(st.binary(max_size=3000), st.booleans())
@example(b"", True)
@example(bytes(1024), True)
@example(bytes(10240), True)
def test_garbage_is_refused_and_leaves_nothing(place, data, framed):
    assert_nothing_left(place, frame(data) if framed else data)


# --- damage ------------------------------------------------------------------------------------------


def check(raw, signature):
    """As a signature is checked, but in no time."""
    if signature != sha256(raw).digest():
        raise Refused("The bundle's signature is not valid.")
    return "me"


def signed(place):
    path = packed(place, {"vars": b"A=1\n", "é/run": b"x" * 600}, sign=lambda raw: sha256(raw).digest())
    with open(path, "rb") as file:
        return path, file.read(), bundles_read.verify(path, check_signature=check)


def verified(path, data):
    """What is read from this data; None when it is refused."""
    with open(path, "wb") as file:
        file.write(data)
    try:
        return bundles_read.verify(path, check_signature=check)
    except Refused:
        return None


def test_every_byte_that_changes_is_noticed_or_does_no_harm(place):
    path, data, manifest = signed(place)
    harmless = [
        at
        for at in range(len(data))
        for bit in (0, 7)
        if verified(path, flipped(data, at, bit)) not in (None, manifest)
    ]
    assert harmless == []


def test_every_byte_of_the_tar_that_changes_is_noticed_also_under_a_new_checksum(place):
    path, data, manifest = signed(place)
    tar = zstandard.ZstdDecompressor().stream_reader(data).read()
    assert verified(path, frame(tar)) == manifest
    assert [at for at in range(len(tar)) if verified(path, frame(flipped(tar, at, at % 8)))] == []


def test_every_truncation_is_noticed(place):
    path, data, manifest = signed(place)
    assert [size for size in range(len(data)) if verified(path, data[:size])] == []
    tar = zstandard.ZstdDecompressor().stream_reader(data).read()
    assert [size for size in range(0, len(tar), 32) if verified(path, frame(tar[:size]))] == []


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


@pytest.mark.parametrize("end", [b"", bytes(512), bytes(1025), bytes(1536), bytes(1024) + plain(b"x")])
def test_the_tar_ends_with_two_blocks_of_zeros(place, end):
    assert_refused(place, archive([plain(b"x")], {"x": entry(b"")}, end))


def test_a_frame_without_a_checksum_is_refused(place):
    data = zstandard.ZstdCompressor().compress(manifest_of({}) + bytes(1024))
    assert "not a bundle" in assert_refused(place, data)
    assert bundles_read.verify(write(place, frame(manifest_of({}) + bytes(1024)))).files == {}


def test_padding_has_to_be_empty(place):
    assert "between" in assert_refused(place, archive([plain(b"x", b"1")[:-1] + b"\1"], {"x": entry(b"1")}))


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


@pytest.mark.parametrize(
    "make", [os.mkdir, lambda path: os.symlink("/tmp", path), lambda path: os.symlink("nowhere", path)]
)
def test_what_is_there_is_left_alone(place, make):
    path, into = packed(place, SMALL), os.path.join(place, "out")
    make(into)
    before = tree(place)
    with pytest.raises(BadUsage, match="exists already"):
        bundles_read.extract(path, into)
    assert tree(place) == before


def test_a_bundle_that_cannot_be_read_is_named(place):
    for path, kind in ((os.path.join(place, "none"), BadUsage), ("/dev/zero", Refused), (place, RiggerError)):
        with pytest.raises(kind, match=os.path.basename(path)):
            bundles_read.verify(path)


def test_an_odd_umask_changes_nothing(place):
    before = os.umask(0)
    try:
        path = packed(place, SMALL)
        bundles_read.extract(path, os.path.join(place, "out"))
        os.umask(0o277)
        bundles_read.extract(path, os.path.join(place, "out2"))
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(mode) for mode, _ in tree(os.path.join(place, "out")).values()}
    assert modes == {0o600, 0o700}
    assert tree(os.path.join(place, "out")) == tree(os.path.join(place, "out2"))


# --- faults ------------------------------------------------------------------------------------------


class Faulty:
    """The os module with some functions replaced."""

    def __init__(self, **functions):
        self.__dict__.update(functions)

    def __getattr__(self, name):
        return getattr(os, name)


class FullDisk(Faulty):
    """The os module of a machine whose disk is full at the n-th change."""

    def __init__(self, left, code=errno.ENOSPC):
        super().__init__()
        self.left, self.code = left, code

    def __getattr__(self, name):
        function = getattr(os, name)
        if name not in ("open", "write", "fchmod", "utime", "mkdir", "fsync", "replace", "rename"):
            return function

        def changing(*arguments, **options):
            self.left -= 1
            if self.left == 0:
                raise OSError(self.code, os.strerror(self.code))
            return function(*arguments, **options)

        return changing


def replace_os(monkeypatch, stand_in):
    """Have all that reads and writes bundles meet another `os`."""
    for module in (bundles_read, extract, files, pack, stream):
        monkeypatch.setattr(module, "os", stand_in, raising=False)


def until_it_works(monkeypatch, work, check):
    """Do it with a fault at the first change, at the second, and so on, until none is met."""
    for left in itertools.count(1):
        faulty = FullDisk(left)
        replace_os(monkeypatch, faulty)
        try:
            work()
        except RiggerError as error:
            assert "No space left" in error.message
            check()
            continue
        finally:
            replace_os(monkeypatch, os)
        if faulty.left > 0:
            return left
        # The fault was in something that may fail.
        check()


def test_a_full_disk_leaves_no_bundle(place, tmp_path, monkeypatch):
    source = tmp_path / "x"
    source.write_bytes(random.Random(1).randbytes(3_000_000))
    path = os.path.join(place, "a.rigger")
    packed(place, SMALL)
    before = files_of(place)

    def work():
        pack.pack(path, [Member("x", str(source))], {})

    def check():
        assert files_of(place) == before or bundles_read.verify(path).files.keys() == {"x"}
        assert os.listdir(place) == ["a.rigger"]

    assert until_it_works(monkeypatch, work, check) > 5
    assert list(bundles_read.verify(path).files) == ["x"]


def test_a_full_disk_leaves_no_folder(place, monkeypatch):
    path, out = packed(place, {**SMALL, "big": bytes(3_000_000)}), os.path.join(place, "out")

    def check():
        assert set(os.listdir(place)) <= {"a.rigger", "out"}
        if os.path.exists(out):  # it failed when it was there already: to be told, but not to be undone
            assert files_of(out).keys() == {*SMALL, "big"}
            subprocess.run(["rm", "-r", out], check=True)

    faults = until_it_works(monkeypatch, lambda: bundles_read.extract(path, out), check)
    assert faults > 15
    assert files_of(out).keys() == {*SMALL, "big"}


def test_ctrl_c_leaves_nothing(place, monkeypatch):
    path = packed(place, {**SMALL, "big": bytes(3_000_000)})

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    for name in ("write", "fchmod", "open"):
        replace_os(monkeypatch, Faulty(**{name: interrupted}))
        for work in (
            lambda: bundles_read.extract(path, os.path.join(place, "out")),
            lambda: packed(place, {"x": b"1"}),
        ):
            with pytest.raises(KeyboardInterrupt):
                work()
            assert os.listdir(place) == ["a.rigger"]
    replace_os(monkeypatch, os)
    assert bundles_read.verify(path)


KILLED = """
import sys
from rigger.bundles import pack, read
from rigger.bundles.format import Member
path, source, out = sys.argv[1:]
members = [Member(f"{n}", source) for n in range(20)]
if out:
    print("go", flush=True)
    read.extract(path, out)
else:
    print("go", flush=True)
    pack.pack(path, members, {})
"""


def killed_after(seconds, *arguments):
    """Start it, and kill it when it has been at work for so long; whether it got done before."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, *arguments], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    return process.returncode == 0


@pytest.mark.parametrize("what", ["pack", "extract"])
def test_kill_leaves_nothing_that_looks_done_and_the_next_run_clears_up(place, tmp_path, what):
    source = tmp_path / "source"
    source.write_bytes(random.Random(1).randbytes(1_000_000))
    path, out = os.path.join(place, "a.rigger"), os.path.join(place, "out")
    members = [Member(f"{n}", str(source)) for n in range(20)]
    if what == "extract":
        pack.pack(path, members, {})
    killed = 0
    for attempt in range(12):
        killed += not killed_after(attempt * 0.01, path, str(source), out if what == "extract" else "")
        if what == "pack" and os.path.exists(path):
            assert len(bundles_read.verify(path).files) == 20
            os.remove(path)
        if os.path.exists(out):
            assert len(files_of(out)) == 20
            subprocess.run(["rm", "-r", out], check=True)
    assert killed > 2
    aside = [name for name in os.listdir(place) if name.endswith(".partial")]
    assert aside, "no run was killed while it was at work"
    for name in aside:
        os.utime(os.path.join(place, name), (1, 1))
    packed(place, SMALL)
    assert os.listdir(place) == ["a.rigger"]


def test_what_another_run_has_aside_is_left_alone(place, monkeypatch):
    path = packed(place, SMALL)
    monkeypatch.setattr(filess, "STALE", -1000)

    def check(raw, signature):
        assert len(os.listdir(place)) == 2
        packed(place, SMALL)
        bundles_read.extract(path, os.path.join(place, "other"))
        return ""

    bundles_read.extract(path, os.path.join(place, "out"), check_signature=check)
    assert set(os.listdir(place)) == {"a.rigger", "out", "other"}
    assert dataclasses.asdict(bundles_read.read_manifest(path))["fields"]["name"] == "demo"
