"""Bundles made by hand, good and hostile ones, and what is left of them on a disk."""

from __future__ import annotations

import io
import json
import os
import stat
from hashlib import sha256

import pytest
import zstandard
from hypothesis import HealthCheck

from rigger.bundles import pack
from rigger.bundles import read as bundles_read
from rigger.bundles.format import Member
from rigger.errors import Refused

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


def packed(place, contents, **options):
    path = os.path.join(place, "a.rigger")
    members = [Member(name, data=data, mtime=1_700_000_000) for name, data in contents.items()]
    pack.pack(path, members, {"name": "demo", "serial": 3}, **options)
    return path


SMALL = {"vars": b'export A="1"\n', "runs/1/plan.json": b"[]", "audit.jsonl": b'{"seq": 1}\n' * 3}


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


def flipped(data, at, bit=0):
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


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
