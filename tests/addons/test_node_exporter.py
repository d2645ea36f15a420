"""The add-on `node-exporter`: Ansible puts a real exporter on each machine, and a real Prometheus looks at it."""

import os
import signal
import urllib.request

import pytest
from helpers.clusters import wait_for

pytest.importorskip("ansible_runner", reason="ansible-runner is not installed")

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

pytestmark = pytest.mark.slow  # it has a cluster, and programs of a distribution


def figures(cluster):
    """Return the figures of each node, as its exporter shows them."""
    shown = {}
    for group in cluster.output("node-exporter")["metrics"]:
        with DIRECT.open(f"http://{group['targets'][0]}/metrics", timeout=10) as answer:
            shown[group["labels"]["node"]] = answer.read().decode()
    return shown


def arguments(cluster, node):
    return os.path.join(cluster.home(node), "rigger-node-exporter.arguments")


def test_each_node_shows_its_own_figures_and_a_new_one_does_too(cluster):
    rigger = cluster.rigger
    cluster.make("--set", "NODES=1")
    rigger("module", "add", "node-exporter", "--no-input")
    rigger("module", "add", "monitoring", "--no-input")
    said = rigger("provision", "node-exporter").out
    assert "monitoring would gain" not in said, "what was never applied is told nothing"
    rigger("provision", "monitoring")
    assert "node_load1 " in figures(cluster)["node-1"]
    assert "The test of node-exporter passed." in rigger("test", "node-exporter").out
    process = cluster.process("node-exporter")
    rigger("provision", "node-exporter", "--plan", "--exit-code")

    # One node more: it gets its exporter with it, monitoring is told, and applies nothing.
    rigger("config", "set", "NODES=2")
    said = rigger("provision", "local", "etcd", "node-exporter").out
    assert "monitoring would gain 2 targets" in said
    assert sorted(figures(cluster)) == ["node-1", "node-2"]
    assert cluster.process("node-exporter") == process, "what runs as it should is left alone"

    # A change by hand is found and shown; one that died runs again.
    with open(arguments(cluster, "node-2"), "a") as file:
        file.write("--no-collector.zfs\n")
    found = rigger("audit", "node-exporter", code=8)
    assert "---no-collector.zfs" in found.out and "Write its arguments (node-2)" in found.out
    assert "(node-1)" not in found.out.split("Would change")[1]
    old = cluster.process("node-exporter", "node-2")
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: cluster.process("node-exporter", "node-2") not in (old, None), 60)

    # Another port, which takes back the change by hand as well.
    rigger("config", "set", "NODE_EXPORTER_METRICS_PORT=9200")
    rigger("provision", "node-exporter", "monitoring", "-y")
    assert all(
        ":9200" in target for target in cluster.output("monitoring")["targets"] if ":2379" not in target
    )
    with open(arguments(cluster, "node-2")) as file:
        assert "no-collector" not in file.read()

    rigger("module", "remove", "node-exporter", "-y")
    for node in ("node-1", "node-2"):
        assert not os.path.exists(arguments(cluster, node))
        assert cluster.process("node-exporter", node) is None
        assert not [path for path in cluster.files(node) if "node_exporter" in path]
