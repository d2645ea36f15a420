"""What is packed comes out again, by any program; what must not be packed is refused."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import shlex
import socket
import stat
import subprocess
import tarfile
import unicodedata
import urllib.parse
from hashlib import sha256

import pytest
import zstandard
from helpers.archives import NO_DATABASE, SMALL, files_of, packed, tree
from helpers.disks import Faulty, replace_os, until_it_works
from hypothesis import given, settings
from hypothesis import strategies as st

from rigger import text as texts
from rigger.bundles import names as bundles_names
from rigger.bundles import pack, threads
from rigger.bundles import read as bundles_read
from rigger.bundles.format import Limits, Member
from rigger.envfile import quoting
from rigger.errors import NotReady, Refused

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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_log_that_repeats_itself_is_packed_and_loaded_again(place):
    path, log = os.path.join(place, "b"), os.path.join(place, "log")
    with open(log, "wb") as file:
        for _ in range(100):
            file.write(b"Still creating... [10s elapsed]\n" * 32768)
    packed_ = pack.pack(path, [Member("runs/1/01-create.log", log)], {})
    assert packed_.size * 1000 < os.path.getsize(log) > 64 * 1024**2
    bundles_read.extract(path, os.path.join(place, "out"))
    assert os.path.getsize(os.path.join(place, "out", "runs/1/01-create.log")) == os.path.getsize(log)


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
    "vars file": quoting.quote(SECRET).encode(),
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


# --- faults ------------------------------------------------------------------------------------------


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
