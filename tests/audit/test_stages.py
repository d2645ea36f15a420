"""How far an upgrade by stages got, by the audit log."""

from helpers.audit_events import begun, tell

from rigger.audit.events import problem_of
from rigger.audit.upgrades import UpgradeHistory

STARTED = ("upgrade-started", {"from": "1", "to": "2", "style": "canary", "rollback": False})
CHANGING = begun("upgrade-canary", command="upgrade")
FIRST = {"stage": 1, "of": 2, "nodes": ["node-1"], "to": "2"}
REST = {"stage": 2, "of": 2, "nodes": ["node-2", "node-3"], "to": "2"}


def judged(stage, verdict, **figures):
    told = {key: stage[key] for key in ("stage", "of", "nodes")}
    return "stage-judged", {**told, "verdict": verdict, "figures": figures, "limits": {}, "reasons": []}


USUAL = judged({"stage": 0, "of": 2, "nodes": []}, "measured", ms="2")
BEGUN, DONE = ("stage-started", FIRST), ("stage-finished", FIRST)


def stages(*told):
    return tell(UpgradeHistory(), STARTED, CHANGING, *told).pending.stages


def test_how_far_it_got_in_words():
    def say(*told):
        return stages(*told).say("1")

    after = "; the nodes after that run 1"
    assert say() == say(USUAL) == ""
    assert say(USUAL, BEGUN) == f"Stage 1 of 2 (node-1) is between 1 and 2{after}"
    assert say(USUAL, BEGUN, DONE) == f"Stage 1 of 2 (node-1 runs 2) is done and was not judged{after}"
    good = (USUAL, BEGUN, DONE, judged(FIRST, "good"), ("stage-started", REST))
    assert say(*good[:-1]) == f"Stage 1 of 2 (node-1 runs 2) is done and was judged good{after}"
    assert say(*good) == "Stage 2 of 2 (node-2, node-3) is between 1 and 2; node-1 runs 2"
    bad = (*good, ("stage-finished", REST), judged(REST, "bad"))
    assert say(*bad) == "Stage 2 of 2 (node-2, node-3 run 2) is done and was judged bad; node-1 runs 2"


def test_what_is_usual_and_the_last_judgement_count():
    found = stages(USUAL, BEGUN, DONE, judged(FIRST, "bad"), judged(FIRST, "good"))
    assert (
        found.usual == {"ms": "2"} and found.is_good(("node-1",)) and not found.is_good(("node-2", "node-3"))
    )
    assert stages(judged({"stage": 0, "of": 2, "nodes": []}, "bad")).usual is None


def test_a_pause_waits_for_its_agreement():
    waiting = stages(("stage-paused", REST))
    assert waiting.waits.stage == 2 and not waiting.agreed
    agreed = stages(("stage-paused", REST), ("stage-agreed", {**REST, "by": "me"}))
    assert agreed.waits is None and agreed.agreed == {("node-2", "node-3")}


def test_the_way_back_begins_without_stages():
    history = tell(UpgradeHistory(), STARTED, CHANGING, BEGUN, DONE)
    tell(history, ("upgrade-started", {"from": "2", "to": "1", "style": "canary", "rollback": True}))
    assert history.pending.stages.say("2") == ""


def test_forged_ones_are_noticed():
    def record(event, **fields):
        head = {"seq": 1, "time": "2026-11-20T21:44:00.123Z", "run": "r", "event": event}
        return {**head, **fields}

    for name in ("stage-started", "stage-finished"):
        assert problem_of([record(name, **FIRST)]) is None
        assert problem_of([record(name, **{**FIRST, "nodes": ["a\nb"]})]) == "record 1 has no usable nodes"
    assert problem_of([record(*judged(FIRST, "good")[:1], **judged(FIRST, "good")[1])]) is None
    bad = {**judged(FIRST, "good")[1], "figures": {"ms": "1\n2"}}
    assert problem_of([record("stage-judged", **bad)]) == "record 1 has no usable figures"
