"""What commands on all nodes cost where there are many."""

import os
import re
import subprocess

import pytest
from helpers.steps import LIBEXEC

NODE = os.path.join(LIBEXEC, "rigger-node")
LINE = "node-{}\t10.0.0.1\t-\t0\tuser\t22\t-\t-\t-\n"


@pytest.fixture
def on_nodes(tmp_path):
    """Run a shell's line beside an inventory of so many nodes, whose provider runs commands right here."""
    (tmp_path / "exec").write_text('#!/bin/sh\nnode=$1\nshift\nnode=$node exec "$@"\n')
    (tmp_path / "exec").chmod(0o755)
    inventory = tmp_path / "nodes"
    env = {**os.environ, "RIGGER_NODES_FILE": str(inventory), "RIGGER_PROVIDER_DIR": str(tmp_path)}

    def run(count, line):
        inventory.write_text("".join(map(LINE.format, range(count))))
        return subprocess.run(["sh", "-c", line, NODE], env=env, capture_output=True, text=True, timeout=60)

    return run


def test_each_node_costs_the_same_however_many_there_are(on_nodes):
    if not os.path.exists("/proc/self/io"):
        pytest.skip("this system does not count what a process reads")

    def reads(count):
        said = on_nodes(
            count, '"$0" --all true && cat /proc/$$/io'
        )  # the shell's own, and of all that have ended
        return int(re.search(r"syscr: (\d+)", said.stdout)[1])

    few, many = reads(10), reads(80)
    assert many < 8.5 * few


def test_only_some_nodes_and_one_that_is_not_there(on_nodes):
    said = on_nodes(12, """"$0" --all --only 'node-3 node-11 nobody' sh -c 'echo "$node"' """)
    assert sorted(said.stdout.splitlines()) == ["node-11: node-11", "node-3: node-3"]
    assert "nobody: error: rigger-node: there is no node 'nobody'; the inventory has: node-0" in said.stderr
    assert "of 3 nodes these failed: nobody (exit 255)" in said.stderr
    assert said.returncode == 255


def test_no_nodes_at_all(on_nodes):
    said = on_nodes(0, '"$0" --all true')
    assert (said.returncode, said.stderr) == (255, "error: rigger-node: the inventory has no node at all\n")
