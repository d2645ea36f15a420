"""The nodes as an Ansible inventory: a file's JSON, which is YAML, or what Ansible asks of a program.

Formats: https://docs.ansible.com/ansible/latest/collections/ansible/builtin/yaml_inventory.html and
https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html. Where the provider runs commands in its own way
(a script exec), Ansible does, too: it takes ansible-ssh for its ssh.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))


def main(mode: str, name: str = "") -> None:
    """Print all nodes as a file, or as an answer to `--list` or to `--host NAME`."""
    nodes = {}
    with (
        contextlib.suppress(FileNotFoundError),
        open(os.environ["RIGGER_INVENTORY"], encoding="utf-8") as file,
    ):
        nodes = {node["name"]: node for node in json.loads(file.read() or "[]")}
    own_way = any(os.path.exists(os.path.join(_folder("PROVIDER_DIR"), f"exec{end}")) for end in ("", ".sh"))
    hosts = {node["name"]: _variables(node, nodes, own_way) for node in nodes.values()}
    answer: dict[str, Any] = {"all": {"hosts": hosts}}
    if mode == "--list":
        answer = {"_meta": {"hostvars": hosts}, "all": {"hosts": list(hosts)}}
    elif mode == "--host":
        answer = hosts.get(name, {})
    json.dump(answer, sys.stdout, indent=2)
    print()


def _variables(node: dict[str, Any], nodes: dict[str, Any], own_way: bool) -> dict[str, Any]:
    """Return what Ansible has to know of a node; what the inventory leaves open, ~/.ssh/config decides."""
    ssh = node["ssh"]
    said = {
        "private_address": node["private_address"],
        "port_offset": node["port_offset"],
        "labels": node["labels"],
    }
    if own_way:
        own = {"host": node["name"], "ssh_executable": os.path.join(HERE, "ansible-ssh")}
        own |= {"connection": "ssh", "ssh_transfer_method": "piped"}
    else:
        own = {"host": _host(node), "user": ssh.get("user"), "port": ssh.get("port")}
        own |= {"ssh_private_key_file": _key(ssh), "ssh_common_args": _options(node, nodes)}
    return {f"ansible_{name}": value for name, value in own.items() if value} | {
        k: v for k, v in said.items() if v
    }


def _options(node: dict[str, Any], nodes: dict[str, Any]) -> str:
    """Return ssh's words for host keys, as rigger-node has them, and for the way in."""
    jumps = [jump for jump in (node["ssh"].get("jump") or "").split(",") if jump]
    return shlex.join([*_known_by(node["name"]), *_way_through(jumps, _key(node["ssh"]), nodes)])


def _way_through(jumps: list[str], key: str, nodes: dict[str, Any]) -> list[str]:
    """Return the words for an ssh that goes through the last jump host, which the others lead to.

    Each command of a command has its percent signs doubled once more: see ProxyCommand in ssh_config(5).
    """
    if not jumps:
        return []
    words = [*_key_words(key), *_jump_words(jumps[-1], nodes)]
    command = shlex.join(["ssh", "-W", "\0", *_way_through(jumps[:-1], key, nodes), *words]).replace(
        "%", "%%"
    )
    return ["-o", f"ProxyCommand={command}".replace("\0", "[%h]:%p")]


def _jump_words(jump: str, nodes: dict[str, Any]) -> list[str]:
    """Return what ssh is told of a jump host: a node, with its own key and host key, or `[user@]host[:port]`."""
    if jump in nodes:
        ssh = nodes[jump]["ssh"]
        words = [*_known_by(jump), *_key_words(_key(ssh))]
        user, port, host = ssh.get("user"), ssh.get("port"), _host(nodes[jump])
    else:
        words = _known_by("")
        user, _, place = jump.rpartition("@")
        host, port = _parted(place)
    return [*words, *(["-l", user] if user else []), *(["-p", str(port)] if port else []), "--", host]


def _key_words(key: str) -> list[str]:
    return ["-i", key] if key else []


def _parted(place: str) -> tuple[str, str]:
    """Return host and port of `host`, `host:port`, `[address]:port`; more than one colon is an address."""
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        return host, port.lstrip(":")
    if place.count(":") == 1:
        host, _, port = place.partition(":")
        return host, port
    return place, ""


def _known_by(node: str) -> list[str]:
    """Return ssh's words for the host key of a node; of somebody else's jump host without a name, that is known to all."""
    known = f'"{_doubled(os.path.join(_folder("ENVIRONMENT_DIR"), "known_hosts"))}"'
    words = ["-o", f"UserKnownHostsFile={known}", "-o", f"HostKeyAlias={node}"]
    if not node:
        words = ["-o", f"UserKnownHostsFile={known} ~/.ssh/known_hosts"]
    return [*words, "-o", "StrictHostKeyChecking=accept-new", "-o", "HashKnownHosts=no"]


def _doubled(path: str) -> str:
    """Return a path as ssh reads the names of files: it takes a percent sign for the beginning of a token."""
    return path.replace("%", "%%")


def _host(node: dict[str, Any]) -> str:
    return str(node["ssh"].get("host") or node["address"]).strip("[]")


def _key(ssh: dict[str, Any]) -> str:
    """Return the file of the key: ~/..., absolute, or in the environment's folder; empty where ssh chooses."""
    key = str(ssh.get("key") or "")
    return _doubled(os.path.join(_folder("ENVIRONMENT_DIR"), os.path.expanduser(key))) if key else ""


def _folder(name: str) -> str:
    return os.environ.get(f"RIGGER_{name}", "")


if __name__ == "__main__":
    main(*sys.argv[1:])
