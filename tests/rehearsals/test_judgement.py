"""What figures mean: one lost write is a no, and so is one datum that is another; nothing written says nothing."""

import pytest

from rigger.modules.model import Judge, Limit
from rigger.rehearsals.judgement import judged
from rigger.rehearsals.model import GO, INCONCLUSIVE, NO_GO, LeftOut, Rehearsed
from rigger.rehearsals.verdict import decide

WELL = {
    "problem": "",
    "figures": {"acknowledged": "100", "lost": "0", "duplicated": "0", "longest_gap_seconds": "1.25"},
    "data": {"keys": "2", "sha256": "a"},
    "data_after": {"keys": "2", "sha256": "a"},
    "before": {"latency_ms": "2"},
    "after": {"latency_ms": "3"},
    "judge": Judge("load", "60s", {"latency_ms": Limit("3x + 1", 3.0, 1.0)}),
}


def test_all_well_is_a_go_and_says_why():
    assert judged(**WELL) == (GO, "0 of 100 acknowledged writes lost, longest gap 1.2 s")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"figures": {**WELL["figures"], "lost": "1"}}, "1 acknowledged writes were lost"),
        ({"figures": {**WELL["figures"], "duplicated": "2"}}, "2 writes were duplicated"),
        ({"figures": {**WELL["figures"], "altered": "1"}}, "1 writes were altered"),
        ({"data_after": {"keys": "2", "sha256": "b"}}, "sha256 a became b"),
        ({"data_after": {}}, "keys 2 became none"),
        ({"problem": "it is not healthy: node-1 is down"}, "it is not healthy: node-1 is down"),
        ({"after": {"latency_ms": "8"}}, "latency_ms is 8, and must be at most 7"),
    ],
)
def test_what_is_wrong_is_a_no_and_is_named(other, said):
    verdict, reason = judged(**{**WELL, **other})
    assert verdict == NO_GO and said in reason


@pytest.mark.parametrize("figures", [{}, {"acknowledged": "0", "lost": "0"}])
def test_where_nothing_was_written_nothing_is_known(figures):
    assert judged(**{**WELL, "figures": figures})[0] == INCONCLUSIVE


def done(verdict, reason="because"):
    figures = {"acknowledged": "50", "longest_gap_seconds": "0.5"}
    return Rehearsed("name", "a title", verdict, reason, figures=figures)


def test_one_no_is_enough_and_a_question_left_open_is_no_go_either():
    assert decide([done(GO), done(INCONCLUSIVE), done(NO_GO)], []) == (NO_GO, "a title: because")
    assert decide([done(GO), done(INCONCLUSIVE)], [])[0] == INCONCLUSIVE
    assert decide([], [LeftOut("disk-full", "the disk is full", "no root")])[0] == INCONCLUSIVE
    verdict, reason = decide([done(GO), done(GO)], [LeftOut("disk-full", "the disk is full", "no root")])
    assert verdict == GO and reason.startswith("all 2 rehearsals ended well (1 could not be made here): 100 ")
