"""An upgrade by stages, from Python: each is judged, what is bad goes back, and one that waits goes on when somebody agrees."""

import pytest
from helpers.stages import Staged
from helpers.without_terminal import Listener, Person, configured

from rigger.errors import BadUsage, InvalidConfig, Paused, RolledBack, StepFailed
from rigger.operations.consent import Consent
from rigger.operations.planned import planned
from rigger.operations.provision import provision
from rigger.operations.upgrade import upgrade
from rigger.operations.upgrade_request import UpgradeOptions
from rigger.values import replace

CANARY = UpgradeOptions(to="1.9.1", style="canary")
ROLLING = UpgradeOptions(to="1.9.1", style="rolling")
ASKING = UpgradeOptions(to="1.9.1", style="asking")
RESUME, ROLLBACK = UpgradeOptions(resume=True), UpgradeOptions(rollback=True)
NEW = {"node-1": "1.9.1", "node-2": "1.9.1", "node-3": "1.9.1"}
OLD = {node: "1.9.0 back" for node in NEW}


@pytest.fixture
def staged(rigger, modules, in_process):
    staged = Staged(rigger, modules)
    in_process(staged.cluster)
    staged.environment = configured(staged.cluster, VERSION="1.9.0", NODES="3")
    provision(staged.environment)
    return staged.begin()


def plan(environment, options):
    environment.call = replace(environment.call, plans=True)
    return planned(lambda: upgrade(environment, options))


def version(staged):
    return staged.environment.vars()["VERSION"]


def test_one_node_first_then_the_rest_each_judged(staged):
    heard = Listener()
    report = upgrade(staged.environment, CANARY, heard).as_dict()
    verbs = ["backup", "tests/load", "upgrade-canary", "tests/load", "upgrade-canary", "tests/load", "check"]
    assert [step["step"] for step in report["steps"]] == verbs
    assert staged.runs() == NEW and version(staged) == "1.9.1"
    stages = [(one["stage"], one["nodes"], one["verdict"]) for one in report["stages"]]
    assert stages == [(0, [], "measured"), (1, ["node-1"], "good"), (2, ["node-2", "node-3"], "good")]
    assert report["stages"][1]["limits"] == {
        "lost": "at most 0",
        "latency_ms": "at most 56",
        "writes": "at least 1",
    }
    assert "  good: lost 0 (at most 0), latency_ms 12 (at most 56), writes 90 (at least 1)" in heard.lines
    with open(staged.path("judged")) as file:
        assert file.read().splitlines() == ["usual 2 s", "node-1 2 s", "node-2 2 s"]


def test_every_stage_and_judgement_is_recorded(staged):
    upgrade(staged.environment, CANARY)
    told = [(one["event"], one["stage"], one["nodes"]) for one in staged.told()]
    rest = ["node-2", "node-3"]
    assert told == [
        ("stage-judged", 0, []),
        *((event, 1, ["node-1"]) for event in ("stage-started", "stage-finished", "stage-judged")),
        *((event, 2, rest) for event in ("stage-started", "stage-finished", "stage-judged")),
    ]
    judged = staged.told("stage-judged")[1]
    assert judged["figures"] == {"lost": "0", "latency_ms": "12", "writes": "90"}
    assert (judged["limits"]["latency_ms"], judged["verdict"], judged["reasons"]) == (
        "at most 56",
        "good",
        [],
    )
    assert all(one["run"] for one in staged.told())


def test_the_plan_shows_the_stages_and_their_rules_and_changes_nothing(staged):
    found = plan(staged.environment, CANARY).as_dict()
    shown = [(step["step"], step.get("stage"), step.get("nodes")) for step in found["steps"]]
    assert shown == [
        ("backup", None, None),
        ("tests/load", 0, []),
        *((step, 1, ["node-1"]) for step in ("upgrade-canary", "tests/load")),
        *((step, 2, ["node-2", "node-3"]) for step in ("upgrade-canary", "tests/load")),
        ("check", None, None),
    ]
    assert found["steps"][2]["why"] == "stage 1 of 2, node-1: 1.9.0 to 1.9.1"
    assert found["rules"] == [
        "A stage is good where lost at most 0; latency_ms at most 3x + 20; writes at least 1.",
        "Where one fails or is judged bad, all goes back to 1.9.0.",
    ]
    assert staged.cluster.ran() == [] and staged.told() == []


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"latency_ms": 57}, "latency_ms is 57, and must be at most 56 (3x + 20 of what it was before)"),
        ({"lost": 1}, "lost is 1, and must be at most 0"),
        ({"writes": 0}, "writes is 0, and must be at least 1"),
        ({"writes": None}, "writes was not measured"),
        ({"latency_ms": "nan"}, "latency_ms is 'nan', no number"),
    ],
)
def test_what_is_judged_bad_goes_back(staged, figures, reason):
    staged.measure("1.9.1", **figures)
    with pytest.raises(RolledBack) as caught:
        upgrade(staged.environment, CANARY)
    problem = caught.value
    assert problem.message == (
        f"Stage 1 of 2 (node-1 to 1.9.1) was judged bad: {reason}. Everything runs 1.9.0 again."
    )
    assert "rigger upgrade --version 1.9.1 --upgrade-style canary" in problem.next_step
    # The others were never touched before the way back, which leaves nothing out.
    assert staged.runs() == OLD and version(staged) == "1.9.0"
    judged = staged.told("stage-judged")[-1]
    assert (judged["stage"], judged["verdict"], judged["reasons"]) == (1, "bad", [reason])
    report = problem.result.as_dict()
    assert (report["from"], report["to"]) == ("1.9.0", "1.9.1")
    assert [one["verdict"] for one in report["stages"]] == ["measured", "bad"]
    assert [step["step"] for step in report["steps"]][-3:] == ["tests/load", "upgrade-canary", "check"]
    with pytest.raises(BadUsage, match="No upgrade of wood is unfinished"):
        upgrade(staged.environment, RESUME)


def test_a_stage_that_fails_goes_back_and_so_does_a_judge_that_fails(staged):
    staged.write("fails-on-node-2-1.9.1")
    with pytest.raises(RolledBack, match=r"upgrade-canary exited 7 .* Everything runs 1.9.0 again"):
        upgrade(staged.environment, CANARY)
    assert staged.runs() == OLD
    staged.forget("fails-on-node-2-1.9.1")
    staged.cluster.script(
        "platform",
        "tests/load",
        'rigger-figure lost 0; [ "$TREE_VERSION" = 1.9.0 ] || { echo "nobody answers"; exit 1; }\n',
    )
    staged.measure("1.9.0")
    with pytest.raises(
        StepFailed, match="What is usual before the upgrade is not well: latency_ms was not measured"
    ):
        upgrade(staged.environment, CANARY)


def test_a_judge_whose_test_fails_is_a_bad_verdict_with_its_words(staged):
    staged.cluster.script(
        "platform",
        "tests/load",
        "for f in lost latency_ms; do rigger-figure $f 0; done; rigger-figure writes 5\n"
        '[ "$TREE_VERSION" = 1.9.0 ] || { echo "nobody answers"; exit 1; }\n',
    )
    with pytest.raises(RolledBack, match="was judged bad: its test says: nobody answers"):
        upgrade(staged.environment, CANARY)


def test_where_the_usual_is_not_well_nothing_is_changed(staged):
    staged.measure("1.9.0", lost=2)
    with pytest.raises(StepFailed) as caught:
        upgrade(staged.environment, CANARY)
    assert (
        caught.value.message
        == "What is usual before the upgrade is not well: lost is 2, and must be at most 0."
    )
    assert "nothing of it was changed, and this upgrade is over" in caught.value.next_step
    assert staged.runs() == {} and version(staged) == "1.9.0"


def test_a_way_back_that_fails_says_where_everything_stands(staged):
    staged.measure("1.9.1", lost=1)
    staged.write("fails-on-node-2-1.9.0")
    with pytest.raises(StepFailed) as caught:
        upgrade(staged.environment, CANARY)
    assert (
        "between two versions, on its way from 1.9.1 back to 1.9.0; 1.9.0 is recorded"
        in caught.value.next_step
    )
    staged.forget("fails-on-node-2-1.9.0")
    upgrade(staged.environment, RESUME)
    assert staged.runs() == OLD and version(staged) == "1.9.0"


def test_one_that_waits_is_whole_until_somebody_agrees(staged):
    for done in (1, 2):
        with pytest.raises(Paused) as caught:
            upgrade(staged.environment, ROLLING if done == 1 else RESUME, consent=Consent(yes=True))
        assert (
            caught.value.message
            == f"Stage {done + 1} of 3 (node-{done + 1} to 1.9.1) waits until somebody agrees to it."
        )
        assert (
            f"Stage {done} of 3 (node-{done} runs 1.9.1) is done and was judged good"
            in caught.value.next_step
        )
        assert len(staged.runs()) == done and version(staged) == "1.9.0"
    result = upgrade(staged.environment, RESUME)
    assert staged.runs() == NEW and version(staged) == "1.9.1"
    assert [step.step.verb for step in result.steps] == ["upgrade-rolling", "tests/load", "check"]
    agreed = [(one["stage"], one["by"] != "") for one in staged.told("stage-agreed")]
    assert agreed == [(2, True), (3, True)]
    assert [run["outcome"] for run in staged.cluster.records() if run["event"] == "run-finished"][-3:] == [
        "paused",
        "paused",
        "done",
    ]


def test_somebody_at_a_terminal_is_asked_at_each_pause(staged):
    person = Person(True, False)
    with pytest.raises(Paused):
        upgrade(staged.environment, ROLLING, consent=person.consent(yes=True))
    assert [question.partition(" waits")[0] for question in person.asked] == [
        "Stage 2 of 3 (node-2 to 1.9.1)",
        "Stage 3 of 3 (node-3 to 1.9.1)",
    ]
    upgrade(staged.environment, ROLLBACK)
    assert staged.runs() == OLD


def test_one_that_stops_goes_on_or_back_as_somebody_says(staged):
    staged.measure("1.9.1", latency_ms=500)
    with pytest.raises(StepFailed) as caught:
        upgrade(staged.environment, ROLLING)
    assert not isinstance(caught.value, RolledBack)
    assert (
        "Stage 1 of 3 (node-1 runs 1.9.1) is done and was judged bad; the nodes after that run 1.9.0"
        in caught.value.next_step
    )
    assert staged.runs() == {"node-1": "1.9.1"}
    with pytest.raises(InvalidConfig, match="is not finished"):
        upgrade(staged.environment, CANARY)
    staged.measure("1.9.1")
    staged.cluster.ran()
    with pytest.raises(Paused):
        upgrade(staged.environment, RESUME)
    # It is judged again, and not made again.
    assert staged.cluster.ran() == ["platform/tests/load"]
    upgrade(staged.environment, ROLLBACK)
    assert staged.runs() == OLD and version(staged) == "1.9.0"


@pytest.mark.parametrize(
    ("answers", "back"), [([True], True), ([False], False), (None, False), ("yes", True)]
)
def test_one_that_asks_goes_back_where_somebody_says_so(staged, answers, back):
    staged.measure("1.9.1", lost=1)
    consent = Consent(yes=answers == "yes") if answers in (None, "yes") else Person(*answers).consent()
    with pytest.raises(RolledBack if back else StepFailed):
        upgrade(staged.environment, ASKING, consent=consent)
    # Half of three is two.
    assert staged.runs() == (OLD if back else {"node-1": "1.9.1", "node-2": "1.9.1"})


def test_the_time_that_is_judged_is_what_the_vars_say(staged):
    shown = plan(staged.environment, CANARY)
    assert shown.plan.steps[1].environ["RIGGER_JUDGE_SECONDS"] == "2"
    values = {**staged.environment.values(), "COLOUR_TIME": "a while"}
    staged.environment.save_values(values)
    with pytest.raises(InvalidConfig, match="comes to 'a while': no duration"):
        plan(staged.environment, CANARY)
