"""What Prometheus should look at, worked out of the state: file_sd's JSON, for standard output.

A module that is applied shows metrics in one of two ways. The label `metrics-port` says that each of its nodes does (of those
that it uses, or of all), at `metrics-path` if that is not /metrics; the node's port offset is added. The field `metrics` of
its output is a list as file_sd has it: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config
"""

from __future__ import annotations

import json
import sys
from typing import Any


def targets_of(state: dict[str, Any], own: str) -> list[dict[str, Any]]:
    """Return the groups of targets of a state, by module and node, but for those of the module `own`."""
    groups = []
    for name, module in sorted(state["modules"].items()):
        if name == own or module["status"] != "applied":
            continue
        output = module["output"].get("metrics")
        for group in output if isinstance(output, list) else ():
            groups.append({"targets": group["targets"], "labels": {"job": name, **group.get("labels", {})}})
        port = module["labels"].get("metrics-port", "")
        if port.isdigit():
            groups += [_of_node(name, module, node, int(port)) for node in _nodes(state, module)]
    return groups


def _nodes(state: dict[str, Any], module: dict[str, Any]) -> list[dict[str, Any]]:
    uses = module.get("uses") or [node["name"] for node in state["nodes"]]
    return [node for node in state["nodes"] if node["name"] in uses]


def _of_node(name: str, module: dict[str, Any], node: dict[str, Any], port: int) -> dict[str, Any]:
    address = node.get("private_address") or node["address"]
    host = f"[{address}]" if ":" in address and not address.startswith("[") else address
    path = module["labels"].get("metrics-path", "/metrics")
    labels = {"job": name, "node": node["name"]}
    if path != "/metrics":
        labels["__metrics_path__"] = path
    return {"targets": [f"{host}:{port + int(node.get('port_offset') or 0)}"], "labels": labels}


if __name__ == "__main__":
    json.dump(targets_of(json.load(sys.stdin), sys.argv[1]), sys.stdout, indent=1)
    print()
