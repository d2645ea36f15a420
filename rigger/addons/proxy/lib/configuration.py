"""HAProxy's configuration, worked out of the state: configuration.py ADDRESS PORT METRICS_PORT MODE PORTS <STATE.

PORTS are the platform's, with blanks between; the node's port offset is added to each. The platform's label `health-path` is
what a node is asked whether it is well; without one it has to take connections. The words are those of
https://docs.haproxy.org/2.6/configuration.html
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

HEAD = """\
global
    stats socket unix@admin.sock mode 600 level admin
    description {digest}

defaults
    mode {mode}
    timeout connect 2s
    timeout client 1h
    timeout server 1h
    timeout check 2s
    retries 3
    option redispatch
    default-server inter 500ms fall 2 rise 2

frontend metrics
    mode http
    bind {address}:{metrics}
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request return status 404
"""
# gRPC is HTTP/2 throughout; what else speaks HTTP to the same port is passed on as HTTP/1.
GRPC = """
frontend port-{port}
    bind {address}:{listens}
    use_backend grpc-{port} if {{ req.hdr(content-type) -m beg application/grpc }}
    default_backend http-{port}
"""
OTHER = """
frontend port-{port}
    bind {address}:{listens}
    default_backend {mode}-{port}
"""


def configuration(
    state: dict[str, Any], address: str, first: int, metrics: str, mode: str, ports: list[int]
) -> str:
    """Return the text of haproxy.cfg; raises StopIteration where no platform is in the state."""
    platform = next(one for one in state["modules"].values() if one["role"] == "platform")
    path = platform["labels"].get("health-path", "")
    text = ""
    for number, port in enumerate(ports):
        frontend = GRPC if mode == "grpc" else OTHER
        text += frontend.format(port=port, address=address, listens=first + number, mode=mode)
        for kind in ("grpc", "http") if mode == "grpc" else (mode,):
            text += _backend(f"{kind}-{port}", kind, port, path, state["nodes"])
    mode = "tcp" if mode == "tcp" else "http"
    head = HEAD.format(mode=mode, address=address, metrics=metrics, digest="{digest}")
    digest = hashlib.sha256((head + text).encode()).hexdigest()[:16]
    return head.replace("{digest}", digest) + text


def _backend(name: str, kind: str, port: int, path: str, nodes: list[dict[str, Any]]) -> str:
    lines = ["", f"backend {name}", "    balance roundrobin"]
    if path:
        lines += [
            "    option httpchk",
            f"    http-check send meth GET uri {path}",
            "    http-check expect status 200",
        ]
    more = " proto h2 check-proto h1" if kind == "grpc" else ""
    for node in nodes:
        host = node.get("private_address") or node["address"]
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        lines.append(
            f"    server {node['name']} {host}:{port + int(node.get('port_offset') or 0)} check{more}"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    address, first, metrics, mode, ports = sys.argv[1:]
    known = json.load(sys.stdin)
    print(configuration(known, address, int(first), metrics, mode, [*map(int, ports.split())]), end="")
