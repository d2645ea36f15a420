"""The add-on `monitoring`: a real Prometheus looks at a real etcd."""

import json
import os
import re
import signal
import urllib.parse
import urllib.request

import pytest
from helpers.clusters import wait_for

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

pytestmark = pytest.mark.slow  # each has a cluster, and programs of a distribution


def asked(cluster, path):
    """Return what Prometheus answers."""
    with DIRECT.open(cluster.output("monitoring")["url"] + path, timeout=10) as answer:
        return json.load(answer)["data"]


def value_of(cluster, query):
    found = asked(cluster, "/api/v1/query?query=" + urllib.parse.quote(query))["result"]
    return float(found[0]["value"][1]) if found else 0


def looked_at(cluster):
    return sorted(one["labels"]["node"] for one in asked(cluster, "/api/v1/targets")["activeTargets"])


def test_etcd_tells_monitoring_of_what_it_gained_and_a_change_by_hand_is_found(cluster):
    rigger = cluster.rigger
    cluster.make()
    said = rigger("module", "add", "monitoring", "--no-input").out
    assert "MONITORING_NODE       node-1" in said and "nothing of it is applied yet" in said
    said = rigger("provision", "monitoring").out
    assert "monitoring would gain 3 targets" in said
    addresses = [node["address"] for node in cluster.state()["nodes"]]
    assert cluster.output("monitoring")["targets"] == [f"{address}:2379" for address in addresses]
    [shown] = [row for row in json.loads(rigger("status", "-o", "json").out)["addons"]]
    assert re.fullmatch(r"Prometheus [0-9]+\.[0-9]+\.[0-9].*", shown["program"])
    assert shown["program"] in rigger("status").out
    rigger("config", "set", "MONITORING_INTERVAL=1s")
    assert "monitoring would look every 1s" in rigger("provision", "monitoring").out
    assert "The test of monitoring passed." in rigger("test", "monitoring").out
    assert value_of(cluster, "sum(etcd_server_has_leader)") == 3

    # Scaled from 3 to 5: monitoring is told, and changes nothing until it is asked.
    rigger("config", "set", "NODES=5")
    said = rigger("provision", "-y").out
    assert "monitoring would change: monitoring would gain 2 targets" in said
    assert cluster.applied("monitoring") == 2 and len(looked_at(cluster)) == 3
    process = cluster.process("monitoring")
    rigger("provision", "monitoring")
    assert cluster.process("monitoring") == process, "another list of targets needs no restart"
    rigger("test", "monitoring")
    assert looked_at(cluster) == [f"node-{n}" for n in range(1, 6)]
    assert value_of(cluster, "sum(etcd_server_has_leader)") == 5

    _changed_by_hand(cluster)
    _kept_running(cluster)
    _saved_and_moved(cluster)


def _changed_by_hand(cluster):
    rigger = cluster.rigger
    path = os.path.join(cluster.home(), "rigger-monitoring", "prometheus.yml")
    with open(path) as file:
        good = file.read()
    with open(path, "w") as file:
        file.write(good.replace("interval: 1s", "interval: 2s") + "# mine\n")
    refused = rigger("audit", "monitoring", "--reflect", "-y", code=8)
    assert "prometheus.yml is another one" in refused.out + refused.err and "nothing of it was" in refused.err
    with open(path, "w") as file:
        file.write(good.replace("interval: 1s", "interval: 2s"))
    found = rigger("audit", "monitoring", code=8)
    assert "it looks every 2s" in found.out + found.err
    assert (
        "Taken into the configuration: MONITORING_INTERVAL."
        in rigger("audit", "monitoring", "--reflect", "-y").out
    )
    rigger("provision", "monitoring")
    rigger("audit", "monitoring")


def _kept_running(cluster):
    process = cluster.process("monitoring")
    os.kill(process, signal.SIGKILL)
    wait_for(lambda: cluster.process("monitoring") not in (process, None), 60)
    wait_for(lambda: cluster.rigger("check", code=None).code == 0)


def _saved_and_moved(cluster):
    rigger = cluster.rigger
    before = value_of(cluster, "count(count_over_time(etcd_server_has_leader[1h]))")
    said = rigger("backup", "monitoring").out
    [file] = [line.split()[-1] for line in said.splitlines() if "rigger restore monitoring" in line]
    rigger("config", "set", "MONITORING_NODE=node-2")
    said = rigger("provision", "monitoring").out
    assert "monitoring would move from node-1 to node-2" in said
    assert cluster.files("node-1") == [], "nothing stays on the node that it left"
    assert [node["name"] for node in cluster.state()["nodes"] if node["used_by"]] == ["node-2"]
    rigger("restore", "monitoring", file, "-y")
    assert value_of(cluster, "count(count_over_time(etcd_server_has_leader[1h]))") >= before == 5
    rigger("module", "remove", "monitoring", "-y")
    assert cluster.files("node-2") == []
