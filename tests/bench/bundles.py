"""Saving and loading an environment with much in it, against tar and zstd."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable

from place import Place
from rows import Table

SECRETIVE = """
interface: 2
name: secretive
role: platform
description: Keeps ten secrets
"""
SAVE = 'for n in 1 2 3 4 5 6 7 8 9 10; do export TOKEN_$n="$(head -c 24 /dev/urandom | od -An -tx1 | tr -d " \\n")"; '
SAVE += "rigger-save-secrets TOKEN_$n; done\n"

Make = Callable[[random.Random, int], bytes]


def log(chance: random.Random, size: int) -> bytes:
    """Lines of a log, all different."""
    lines, length = [], 0
    while length < size:
        lines.append(
            f"2026-11-20T{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}Z node-"
            f"{chance.randrange(9)} etcd[{chance.randrange(99999)}]: applied index {chance.getrandbits(40)},"
            f" took {chance.random() * 100:.6f}ms\n"
        )
        length += len(lines[-1])
    return "".join(lines).encode()[:size]


def state(chance: random.Random, size: int) -> bytes:
    """Resources with random identifiers."""
    one = [
        {"type": "server", "id": f"{chance.getrandbits(128):032x}", "ports": [chance.randrange(65536)]}
        for _ in range(size // 60)
    ]
    return json.dumps(one, indent=2).encode()[:size]


def packed(chance: random.Random, size: int) -> bytes:
    """What does not shrink."""
    return chance.randbytes(size)


def make_tree(folder: str, size: int, count: int) -> None:
    """A few big pieces, cut and put together in other ways: fast to make, and no file is like another."""
    chance = random.Random(1)
    makes: tuple[Make, ...] = (log, log, state, packed)
    kinds = [[make(chance, 4_000_000) for _ in range(4)] for make in makes]
    for number in range(count):
        path = os.path.join(folder, f"{number % 50:02}", f"{number:05}.txt")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        wanted = size // count * (number % 4 * 2 + 1) // 4  # from a quarter to seven quarters of the average
        with open(path, "wb") as file:
            file.write(b"%d\n" % number)
            while wanted > 0:
                piece = chance.choice(kinds[number // 4 % 4])
                start = chance.randrange(max(1, len(piece) - wanted))
                wanted -= file.write(piece[start : start + wanted])


def _environment(place: Place, name: str, size: int, count: int) -> str:
    """Have an environment with so much in its runs; return its folder."""
    platform = name if name == "secretive" else "noop"
    if platform == "secretive":
        place.platform(name, SECRETIVE, {}, deploy=SAVE)
    place.configure(name, platform)
    place.run(place.rigger, "provision")
    folder = os.path.join(place.home, "environments", name)
    make_tree(os.path.join(folder, "runs", "20200101T000000-provision"), size, count)
    os.sync()
    return folder


def _save(place: Place, table: Table, row: str, name: str, size: int, count: int) -> None:
    folder = _environment(place, name, size, count)
    bundle, tar = place.file("out.rigger"), place.file("out.tar.zst")
    by_hand = f"set -o pipefail; tar -C {folder} -c . | zstd -q -f -T0 -3 -o {tar}; sync {tar}"

    def ours() -> float:
        if os.path.exists(bundle):
            os.unlink(bundle)
        return place.run(place.rigger, "-e", name, "save", "-f", bundle)

    took, base = place.rounds_of(ours, ["bash", "-c", by_hand], rounds=3)
    table.ratios(row, took, base, "tar | zstd -3 -T0, synced")
    ours()
    if f"{row}, memory" in MEASURED:
        table.figures(f"{row}, memory", [place.memory], "MB", "nothing")


MEASURED = ("save of 99,000 files, memory", "save of one file of 500 MB, memory")


def save(place: Place, table: Table) -> None:
    """500 MB in 2,000 files, without secrets and with ten, and loaded again."""
    _save(place, table, "save of 500 MB", "plain", 500_000_000, 2000)
    _load(place, table)
    shutil.rmtree(os.path.join(place.home, "environments", "plain", "runs"))
    _save(place, table, "save of 500 MB, ten secrets", "secretive", 500_000_000, 2000)
    shutil.rmtree(os.path.join(place.home, "environments", "secretive", "runs"))


def small_files(place: Place, table: Table) -> None:
    """99,000 files of a KB."""
    _save(place, table, "save of 99,000 files", "small", 99_000_000, 99_000)
    shutil.rmtree(os.path.join(place.home, "environments", "small", "runs"))


def big_file(place: Place, table: Table) -> None:
    """How much memory one big file takes, beside ten secrets."""
    _environment(place, "secretive", 500_000_000, 1)
    place.run(place.rigger, "-e", "secretive", "save", "-f", place.file("big.rigger"))
    table.figures("save of one file of 500 MB, memory", [place.memory], "MB", "nothing")
    shutil.rmtree(os.path.join(place.home, "environments", "secretive", "runs"))


def _load(place: Place, table: Table) -> None:
    """The bundle and the archive that were written last, each put in place and synced."""
    bundle, tar, out = place.file("out.rigger"), place.file("out.tar.zst"), place.file("out")
    elsewhere = place.file("elsewhere")  # as on another machine

    def cleared(*argv: str) -> float:
        for folder in (elsewhere, out):
            shutil.rmtree(folder, ignore_errors=True)
        os.sync()
        return place.run(*argv)

    by_hand = f"set -eo pipefail; mkdir {out}; zstd -q -dc {tar} | tar -C {out} -x; sync -f {out}"
    load = ("env", f"RIGGER_HOME={elsewhere}", place.rigger, "configure", "--yes", "--file", bundle)
    took, base = place.rounds_of(lambda: cleared(*load), lambda: cleared("bash", "-c", by_hand), rounds=3)
    table.ratios("verified load", took, base, "zstd | tar, synced")
    cleared("true")
