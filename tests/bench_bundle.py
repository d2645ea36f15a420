"""Measure bundles against tar and zstd, all in one run.

Every ratio is one of medians; the two sides of a comparison take turns, so that a busy moment meets both.
The tree is made of what environments are made of: logs, states in JSON, and files that no longer shrink.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from rigger.bundles import format as bundle_format
from rigger.bundles import pack, read

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)


ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def log(chance, size):
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


def state(chance, size):
    """Resources with random identifiers."""
    one = [
        {
            "type": "server",
            "id": f"{chance.getrandbits(128):032x}",
            "region": "fsn1",
            "ports": [chance.randrange(65536)],
        }
        for _ in range(size // 90)
    ]
    return json.dumps(one, indent=2).encode()[:size]


def packed(chance, size):
    return chance.randbytes(size)


def make_tree(folder, size, count):
    """A few big pieces, cut and put together in other ways: fast to make, and no file is like another."""
    chance = random.Random(1)
    kinds = [[make(chance, 4_000_000) for _ in range(4)] for make in (log, log, state, packed)]
    for number in range(count):
        path = os.path.join(folder, f"runs/{number % 50:02}", f"{number:04}.log")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        wanted = size // count * (number % 4 * 2 + 1) // 4  # from a quarter to seven quarters of the average
        with open(path, "wb") as file:
            piece = chance.choice(kinds[number // 4 % 4])
            start = chance.randrange(len(piece) - wanted)
            file.write(b"%d\n" % number + piece[start : start + wanted])


def members(folder):
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            yield bundle_format.Member(os.path.relpath(path, folder), path)


def shell(command, *arguments):
    subprocess.run(["bash", "-euo", "pipefail", "-c", command, "bash", *arguments], check=True)


class Bench:
    """The tree, and each way to pack or unpack it as a method without arguments."""

    def __init__(self, folder, size, count):
        self.tree, self.tar = os.path.join(folder, "tree"), os.path.join(folder, "by-hand.tar.zst")
        self.file, self.out = os.path.join(folder, "bench.rigger"), os.path.join(folder, "out")
        os.mkdir(self.tree)
        make_tree(self.tree, size, count)
        chance = random.Random(2)
        self.secrets = [
            "".join(chance.choices(ALPHABET, k=length)) for length in (16, 20, 24, 32, 40, 40, 64, 64, 20, 32)
        ]

    def pack(self, secrets=()):
        return pack.pack(self.file, members(self.tree), {"name": "bench"}, secrets=secrets)

    def pack_by_hand(self, sync=""):
        shell(f'tar -C "$1" -c . | zstd -q -f -T0 -3 -o "$2"; {sync or ":"} "$2"', self.tree, self.tar)

    def unpack(self, durable):
        read.extract(self.file, self.out, durable=durable)

    def unpack_by_hand(self, sync=""):
        shell(f'mkdir "$2"; zstd -q -dc "$1" | tar -C "$2" -x; {sync or ":"} "$2"', self.tar, self.out)

    def clear(self):
        shutil.rmtree(self.out, ignore_errors=True)
        os.sync()


COMPARISONS = [
    ("pack, to the page cache by hand", 1.1, lambda b: b.pack(), lambda b: b.pack_by_hand()),
    ("pack, both synced", 1.1, lambda b: b.pack(), lambda b: b.pack_by_hand("sync")),
    ("pack, ten secrets, both synced", None, lambda b: b.pack(b.secrets), lambda b: b.pack_by_hand("sync")),
    ("load, neither synced", 1.5, lambda b: b.unpack(False), lambda b: b.unpack_by_hand()),
    ("load, both synced", 1.5, lambda b: b.unpack(True), lambda b: b.unpack_by_hand("sync -f")),
]


def measure(bench, work):
    """The seconds that pass, and those that processors are at work on it."""
    bench.clear()
    start, before = time.perf_counter(), os.times()
    work(bench)
    return time.perf_counter() - start, sum(os.times()[:4]) - sum(before[:4])


def compare(bench, ours, by_hand, rounds):
    """The medians of both for each of the two measures; each runs once in every round, first by turns."""
    times = {ours: [], by_hand: []}
    for number in range(rounds):
        for work in (ours, by_hand) if number % 2 else (by_hand, ours):
            times[work].append(measure(bench, work))
    return [
        [statistics.median(column) for column in zip(*times[work], strict=True)] for work in (ours, by_hand)
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=500, help="MB in the tree (default 500)")
    parser.add_argument("--files", type=int, default=2000, help="how many files it has (default 2000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side runs (default 5)")
    parser.add_argument(
        "--folder", default=None, help="where to work (default: the system's temporary folder)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rigger-bench-", dir=options.folder) as folder:
        bench = Bench(folder, options.size * 1_000_000, options.files)
        bench.pack()
        bench.pack_by_hand()
        sizes = [os.path.getsize(path) / 1e6 for path in (bench.file, bench.tar)]
        print(
            f"{options.size} MB in {options.files} files: bundle {sizes[0]:.1f} MB, by hand {sizes[1]:.1f} MB"
        )
        print(f"{'':34}{'rigger':>9}{'by hand':>9}{'ratio':>7}{'aim':>6}{'CPU':>8}{'by hand':>9}{'ratio':>7}")
        for name, aim, ours, by_hand in COMPARISONS:
            (mine, mine_cpu), (theirs, theirs_cpu) = compare(bench, ours, by_hand, options.rounds)
            print(
                f"{name:34}{mine:8.2f}s{theirs:8.2f}s{mine / theirs:7.2f}{aim or '':>6}"
                f"{mine_cpu:7.2f}s{theirs_cpu:8.2f}s{mine_cpu / theirs_cpu:7.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
