"""Files of any size take the same small amount of memory, here and on the machine that loads them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.second_machine import TOKEN, elsewhere, forest, planted

from rigger.bundles import read

MOST = 150  # MiB
BLOCK = 1 << 20
LINE = b"2026-11-20T21:44:00Z level=info the same words again and again, /var/lib/thing\n"
MEASURED = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "rigger", *sys.argv[1:]], stdout=sys.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)
sys.exit(done.returncode)
"""


@pytest.fixture
def cluster(rigger, modules):
    return forest(rigger, modules)


def mebibytes(rigger, *words):
    """Run rigger and return how much memory it had at most; another small process starts it, as a child's peak begins
    with its parent's size."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words], env=rigger.env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def repetitive(path, size, *secrets):
    """Write a log of the same line, with secrets in the middle of it, across the borders of blocks."""
    with open(path, "wb") as file:
        lines = LINE * (BLOCK // len(LINE) + 1)
        for _ in range(size // BLOCK):
            file.write(lines[:BLOCK])
        for place, secret in enumerate(secrets, 1):
            file.seek(place * 7 * BLOCK - len(secret) // 2)
            file.write(secret)


@pytest.mark.slow
def test_a_large_log_and_a_large_state_are_saved_looked_at_and_loaded_in_little_memory(cluster, tmp_path):
    planted(cluster)
    run = Path(cluster.file("runs", sorted(os.listdir(cluster.file("runs")))[0], "01-create.log"))
    repetitive(run, 320 << 20, b"x %s y" % TOKEN.encode(), b"\nagain %s" % TOKEN.encode())
    size = run.stat().st_size
    state = run.parents[2] / "modules" / "soil" / "large.img"
    with open(state, "wb") as file:
        file.truncate(100 << 20)
    path = tmp_path / "large.rigger"
    assert mebibytes(cluster.rigger, "save", "-o", str(path)) < MOST
    assert path.stat().st_size < 2 << 20
    assert mebibytes(cluster.rigger, "bundle", "verify", str(path)) < MOST
    other = elsewhere(cluster.rigger, tmp_path)
    load = ["configure", "--file", str(path), "--no-input", "--trust"]
    other.env["RIGGER_TOKEN"] = TOKEN
    assert mebibytes(other, *load) < MOST
    manifest = read.read_manifest(str(path))
    packed = manifest.files[f"runs/{run.parent.name}/{run.name}"]
    assert packed.size == size - 2 * (len(TOKEN) - len("***"))
    assert manifest.files["modules/soil/large.img"].size == 100 << 20
