"""Which nodes each stage of an upgrade has, and how figures are judged."""

import pytest

from rigger.configuration.config import Config
from rigger.errors import BadUsage
from rigger.modules.model import Judge, Limit, Module, Stage, Upgrade
from rigger.plans.judge import faults, in_numbers
from rigger.plans.stages import of_nodes

NODES = [f"node-{number}" for number in range(1, 11)]


def counts(stages, nodes=NODES):
    config = Config(
        Module("soil", "provider", "/m/soil"), Module("tree", "platform", "/m/tree"), (), {}, {}, {}
    )
    found = of_nodes(Upgrade("canary", stages=stages), nodes, config)
    assert [name for stage in found for name in stage.nodes] == nodes
    assert [stage.number for stage in found] == [*range(1, len(found) + 1)] and {one.of for one in found} == {
        len(found)
    }
    return [len(stage.nodes) for stage in found], [stage.waits for stage in found]


@pytest.mark.parametrize(
    ("stages", "nodes", "wanted"),
    [
        ([Stage("1"), Stage("rest")], 10, [1, 9]),
        ([Stage("1"), Stage("rest")], 1, [1]),
        ([Stage("1")], 3, [1, 1, 1]),
        ([Stage("1"), Stage("25%")], 10, [1, 3, 3, 3]),  # a part is rounded up
        ([Stage("2"), Stage("100%")], 3, [2, 1]),
        ([Stage("30")], 10, [10]),
        ([Stage("1%")], 3, [1, 1, 1]),
    ],
)
def test_which_nodes_a_stage_has(stages, nodes, wanted):
    assert counts(tuple(stages), NODES[:nodes])[0] == wanted


def test_a_pause_comes_before_the_next_stage_and_none_after_the_last():
    assert counts((Stage("1", pause=True), Stage("4"), Stage("rest", pause=True)))[1] == [False, True, False]
    assert counts((Stage("4", pause=True),))[1] == [False, True, True]


def test_without_nodes_there_are_no_stages():
    with pytest.raises(BadUsage, match="node by node, and there are no nodes"):
        counts((Stage("1"),), [])


JUDGE = Judge(
    "load", "5s", {"ms": Limit("3x + 20", 3.0, 20.0), "lost": Limit("0")}, {"writes": Limit("0.5x", 0.5)}
)
USUAL = {"ms": "2.5", "lost": "0", "writes": "80"}


@pytest.mark.parametrize(
    ("figures", "wrong"),
    [
        ({}, []),
        ({"ms": "27.5", "writes": "40"}, []),
        ({"ms": "27.6"}, ["ms is 27.6, and must be at most 27.5 (3x + 20 of what it was before)"]),
        ({"lost": "1", "writes": "39"}, ["lost is 1, and must be at most 0", "writes is 39, and must be at least 40 (0.5x of what it was before)"]),
        ({"lost": "none"}, ["lost is 'none', no number"]),
        ({"ms": "inf"}, ["ms is 'inf', no number"]),
    ],
)  # fmt: skip
def test_a_verdict(figures, wrong):
    assert [*faults(JUDGE, {**USUAL, **figures}, USUAL)] == wrong


def test_what_is_usual_has_to_be_measured_and_within_what_is_a_number():
    assert faults(JUDGE, USUAL, None) == ()
    assert faults(JUDGE, {**USUAL, "lost": "1"}, None) == ("lost is 1, and must be at most 0",)
    assert faults(JUDGE, {"lost": "0", "writes": "80"}, None) == ("ms was not measured",)
    assert faults(JUDGE, USUAL, {"lost": "0", "writes": "80"}) == (
        "ms was not measured before the first stage",
    )


def test_limits_in_numbers():
    assert in_numbers(JUDGE, USUAL) == {"ms": "at most 27.5", "lost": "at most 0", "writes": "at least 40"}
    assert in_numbers(JUDGE, None) == {
        "ms": "at most 3x + 20",
        "lost": "at most 0",
        "writes": "at least 0.5x",
    }
    both = Judge("load", "5s", {"a": Limit("9", plus=9.0)}, {"a": Limit("1", plus=1.0)})
    assert in_numbers(both, None) == {"a": "at most 9, at least 1"}
