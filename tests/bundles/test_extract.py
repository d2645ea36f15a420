"""Unpacking: hostile archives and faults leave nothing behind."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from conftest import ROOT
from helpers.archives import (
    BAD_HEADERS,
    BAD_NAMES,
    BAD_PAX,
    KINDS,
    NO_DATABASE,
    SMALL,
    archive,
    assert_refused,
    entry,
    files_of,
    flipped,
    frame,
    packed,
    padded,
    pax,
    plain,
    tree,
    ustar,
    write,
)
from helpers.disks import Faulty, replace_os, until_it_works
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rigger import files as filess
from rigger import text as texts
from rigger.bundles import extract, pack
from rigger.bundles import read as bundles_read
from rigger.bundles.format import Member
from rigger.errors import BadUsage, NotReady, Refused
from rigger.values import asdict

# --- hostile archives --------------------------------------------------------------------------------


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


@pytest.mark.slow
@settings(max_examples=1200, **NO_DATABASE)
@given(hostile())
def test_hostile_archives_are_refused_and_leave_nothing(place, data):
    assert_nothing_left(place, data)


@pytest.mark.slow
@settings(max_examples=300, **NO_DATABASE)
@given(st.binary(max_size=3000), st.booleans())
@example(b"", True)
@example(bytes(1024), True)
@example(bytes(10240), True)
def test_garbage_is_refused_and_leaves_nothing(place, data, framed):
    assert_nothing_left(place, frame(data) if framed else data)


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


@pytest.mark.slow
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
    assert asdict(bundles_read.read_manifest(path))["fields"]["name"] == "demo"


def test_what_would_fill_the_disk_is_refused_before_it_is_written(place, monkeypatch):
    path = packed(place, {"a": bytes(3 << 20), "b": b"small"})
    free = SimpleNamespace(f_bavail=3 << 10, f_frsize=1 << 10)
    monkeypatch.setattr(extract, "os", Faulty(statvfs=lambda folder: free))
    with pytest.raises(NotReady, match="unpacks to 3.0 MiB or more, and only 3.0 MiB are free in"):
        bundles_read.extract(path, os.path.join(place, "out"))
    assert os.listdir(place) == [os.path.basename(path)]
    free.f_bavail = 4 << 10
    bundles_read.extract(path, os.path.join(place, "out"))
