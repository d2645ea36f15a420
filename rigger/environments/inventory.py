"""The nodes: the machines that a provider made."""

from __future__ import annotations

import functools
import json
import os
import re

from rigger.errors import InvalidConfig
from rigger.files import write_bytes
from rigger.values import asdict, field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}"
ADDRESS = r"[A-Za-z0-9_\[:][A-Za-z0-9_.:%\[\]-]{0,254}"
USER = r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}"
KEY = r"(?:/|~/|[A-Za-z0-9_.])[^\x00-\x1f\x7f]{0,4095}"  # a path; a relative one starts in the environment's folder
JUMP = rf"(?:{USER}@)?{ADDRESS}"  # a node's name, or user@host:port
JUMPS = rf"{JUMP}(?:,{JUMP})*"
SSH = ("user", "port", "key", "jump", "host")  # host: the name that ssh is given, where it is not the address

NEXT_STEP = (
    'Correct it or restore it from a backup; once it is removed, "rigger provision --again" writes it again.'
)


@frozen
class Node:
    """One machine: its name, where it is reached, and how ssh gets in."""

    name: str
    address: str
    private_address: str = ""
    ssh: Mapping[str, Any] = field(default_factory=dict)
    port_offset: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)


def read(path: str) -> list[Node]:
    """Return the nodes of an inventory file, none where it is missing; raises InvalidConfig."""
    try:
        with open(path, "rb") as file:
            data = json.loads(file.read() or b"[]")
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as problem:
        raise InvalidConfig(f"{path} cannot be read as an inventory: {problem}.", NEXT_STEP) from None
    if not isinstance(data, list):
        raise InvalidConfig(f"{path} is not a list of nodes.", NEXT_STEP)
    nodes = []
    for position, item in enumerate(data):
        node = _node(item)
        if isinstance(node, str):
            raise InvalidConfig(f"{path}, node {position + 1}: {node}.", NEXT_STEP)
        nodes.append(node)
    return nodes


def write(path: str, nodes: Iterable[Node]) -> None:
    """Replace an inventory file, one node a line, and the same as text beside it for scripts without JSON."""
    nodes = list(nodes)
    lines = ",\n".join(json.dumps(asdict(node)) for node in nodes)
    write_bytes(path, f"[\n{lines}\n]\n".encode() if nodes else b"[]\n")
    write_bytes(text_path(path), "".join(_text(node) for node in nodes).encode())


def text_path(path: str) -> str:
    """Return the path of the inventory as text, tab-separated.

    The columns are name, address, private address, port offset, and for ssh user, port, key, jump hosts and the name
    that it is given in place of the address; `-` where empty.
    """
    return os.path.splitext(path)[0] + ".tsv"


def _text(node: Node) -> str:
    ssh = "\t".join(str(node.ssh.get(name) or "-") for name in SSH)
    return f"{node.name}\t{node.address or '-'}\t{node.private_address or '-'}\t{node.port_offset}\t{ssh}\n"


def parse_output(data: bytes) -> tuple[list[Node], list[str]]:
    """Return the nodes that a script wrote, one JSON object a line, and a sentence about each bad line.

    The later of two nodes of one name wins and keeps the earlier one's place.
    """
    nodes: dict[str, Node] = {}
    problems = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            problems.append(f"line {number} of the inventory is not a JSON object")
            continue
        node = _node(item)
        if isinstance(node, str):
            problems.append(f"line {number} of the inventory: {node}")
        else:
            nodes[node.name] = node
    return list(nodes.values()), problems


def merge(nodes: Iterable[Node], more: Iterable[Node]) -> list[Node]:
    """Return the nodes with others added or replaced by name."""
    return list({node.name: node for node in [*nodes, *more]}.values())


def _node(item: object) -> Node | str:
    """Return the node that a JSON object describes, or what is wrong with it."""
    if not isinstance(item, dict):
        return "a node must be an object"
    name, address = item.get("name"), item.get("address")
    if not _is_whole(NAME, name):
        return f"{name!r} is not a node's name"
    private = item.get("private_address") or ""
    for value in (address, private) if private else (address,):
        if not _is_whole(ADDRESS, value):
            return f"node {name}: {value!r} is not an address"
    ssh, offset, labels = item.get("ssh") or {}, item.get("port_offset") or 0, item.get("labels") or {}
    if not isinstance(offset, int) or isinstance(offset, bool) or not 0 <= offset < 65536:
        return f"node {name}: port_offset must be a number from 0 to 65535"
    if not isinstance(ssh, dict) or not isinstance(labels, dict):
        return f"node {name}: ssh and labels must be objects"
    if ssh and (problem := _ssh_problem(ssh)):
        return f"node {name}: {problem}"
    return Node(
        str(name), str(address), private, ssh, offset, {str(key): str(value) for key, value in labels.items()}
    )


def _ssh_problem(ssh: Mapping[str, Any]) -> str:
    """Return what is wrong with what a node says of ssh, nothing where it can be used."""
    if not _is_whole(USER, str(ssh.get("user", "root"))) or not _is_port(ssh.get("port", 22)):
        return "ssh has no usable user or port"
    for name, pattern in (("key", KEY), ("jump", JUMPS), ("host", ADDRESS)):
        value = ssh.get(name)
        if value and not _is_whole(pattern, value):
            return f"{value!r} is not a usable {name} for ssh"
    return ""


def _is_whole(pattern: str, value: object) -> bool:
    """Return whether a value is a text that a pattern matches from its start to its end."""
    return isinstance(value, str) and _matching(pattern)(value) is not None


@functools.cache
def _matching(pattern: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(pattern).fullmatch


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def addresses(nodes: Iterable[Node]) -> list[str]:
    """Return where nodes are reached, each address once, as NO_PROXY has them."""
    found = [address for node in nodes for address in (node.address, node.private_address) if address]
    return list(dict.fromkeys(address.strip("[]") for address in found))


# Host keys


def moved(before: Iterable[Node], after: Iterable[Node]) -> list[str]:
    """Return the nodes that are gone, or are other machines now: what is known of their host keys no longer holds."""
    now = {node.name: _place(node) for node in after}
    return [node.name for node in before if now.get(node.name) != _place(node)]


def _place(node: Node) -> tuple[str, int]:
    return node.address, node.ssh.get("port") or 22
