"""The nodes: what scripts write, what is kept, and what scripts read."""

import json

import pytest

from rigger.environments import inventory
from rigger.environments.inventory import Node
from rigger.errors import InvalidConfig


def lines(*items) -> bytes:
    return b"".join(
        (item if isinstance(item, bytes) else json.dumps(item).encode()) + b"\n" for item in items
    )


def test_what_is_written_is_read_back(tmp_path):
    path = str(tmp_path / "inventory.json")
    nodes = [
        Node(
            "a",
            "10.0.0.1",
            "192.168.0.1",
            {"user": "core", "port": 2222, "host": "web-1"},
            100,
            {"zone": "ä"},
        ),
        Node("b", "host.example"),
    ]
    inventory.write(path, nodes)
    assert inventory.read(path) == nodes
    assert len((tmp_path / "inventory.json").read_text().splitlines()) == 4  # one node a line
    assert (
        (tmp_path / "inventory.tsv").read_text()
        == "a\t10.0.0.1\t192.168.0.1\t100\tcore\t2222\t-\t-\tweb-1\nb\thost.example\t-\t0\t-\t-\t-\t-\t-\n"
    )
    inventory.write(path, [])
    assert inventory.read(path) == [] and (tmp_path / "inventory.tsv").read_text() == ""


def test_no_inventory_is_no_node(tmp_path):
    assert inventory.read(str(tmp_path / "none.json")) == []


@pytest.mark.parametrize(
    "content",
    [b"{}", b"[1]", b'[{"name": "a"}]', b"[[[", b"\xff", b"[" * 100000, b'[{"name": "a", "address": 7}]'],
)
def test_a_file_that_is_no_inventory_is_named(tmp_path, content):
    path = tmp_path / "inventory.json"
    path.write_bytes(content)
    with pytest.raises(InvalidConfig) as refused:
        inventory.read(str(path))
    assert str(path) in refused.value.message and refused.value.next_step


def test_the_later_of_one_name_wins_and_keeps_the_place():
    data = lines(
        {"name": "a", "address": "h1"}, {"name": "b", "address": "h2"}, b"", {"name": "a", "address": "h3"}
    )
    nodes, problems = inventory.parse_output(data)
    assert [(node.name, node.address) for node in nodes] == [("a", "h3"), ("b", "h2")] and problems == []


def test_good_nodes_are_kept_beside_bad_lines():
    data = lines(b"{half", {"name": "a", "address": "h1"}, [], {"name": "b c", "address": "h"}, b"[" * 100000)
    nodes, problems = inventory.parse_output(data)
    assert [node.name for node in nodes] == ["a"]
    assert [problem.split(" of ")[0] for problem in problems] == ["line 1", "line 3", "line 4", "line 5"]


@pytest.mark.parametrize(
    "node",
    [
        {"name": "-x", "address": "h"}, {"name": "a/b", "address": "h"}, {"name": "a\tb", "address": "h"}, {"name": "a\n", "address": "h"},
        {"name": "", "address": "h"}, {"name": 3, "address": "h"}, {"name": "x" * 300, "address": "h"},
        {"name": "a", "address": ""}, {"name": "a", "address": "-h"}, {"name": "a", "address": "h h"}, {"name": "a", "address": "h\n"},
        {"name": "a", "address": "h", "private_address": "$(x)"}, {"name": "a", "address": "h", "private_address": 5},
        {"name": "a", "address": "h", "port_offset": -1}, {"name": "a", "address": "h", "port_offset": 65536},
        {"name": "a", "address": "h", "port_offset": True}, {"name": "a", "address": "h", "port_offset": 1.5},
        {"name": "a", "address": "h", "ssh": "root"}, {"name": "a", "address": "h", "ssh": {"user": "-x"}},
        {"name": "a", "address": "h", "ssh": {"port": "22"}}, {"name": "a", "address": "h", "ssh": {"port": True}},
        {"name": "a", "address": "h", "ssh": {"port": 70000}}, {"name": "a", "address": "h", "labels": ["x"]},
    ],
    ids=lambda node: json.dumps(node)[:60],
)  # fmt: skip
def test_a_node_that_could_be_taken_for_something_else_is_refused(node):
    nodes, problems = inventory.parse_output(lines(node))
    assert nodes == [] and len(problems) == 1 and "\n" not in problems[0] and len(problems[0]) < 500


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "fe80::1%eth0", "[::1]", "::1", "node-1.example.org", "localhost"]
)
def test_addresses_of_every_kind(address):
    assert inventory.parse_output(lines({"name": "a", "address": address}))[1] == []


def test_merge_replaces_by_name_and_adds_behind():
    old = [Node("a", "h1"), Node("b", "h2")]
    assert inventory.merge(old, [Node("c", "h3"), Node("a", "h4")]) == [
        Node("a", "h4"),
        Node("b", "h2"),
        Node("c", "h3"),
    ]
