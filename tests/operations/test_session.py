"""The ceremony of an operation with steps."""

import pytest
from helpers.without_terminal import Listener

from rigger.audit.events import Resumed
from rigger.errors import InvalidConfig, Locked, NotReady, StepFailed
from rigger.operations.consent import Consent
from rigger.operations.session import session
from rigger.plans.model import Plan, Step
from rigger.runs.reporter import Silent


def working(environment, **more):
    return session(environment, "rigger check", more.pop("reporter", Silent()), Consent(), **more)


def checks(work) -> Plan:
    modules = (work.config.provider, work.config.platform)
    return Plan("check", tuple(Step(module, "check", "to see") for module in modules))


def test_the_lock_is_held_as_long_as_it_lasts(wood):
    with working(wood) as work:
        assert (work.name, work.environment) == ("wood", wood)
        with pytest.raises(Locked, match="rigger check"), working(wood):
            raise AssertionError("two at once")
    with working(wood):
        pass
    with pytest.raises(ZeroDivisionError), working(wood):
        raise ZeroDivisionError
    assert wood.lock.holder() == ""


def test_what_is_prepared_comes_before_the_configuration_and_under_the_lock(wood):
    seen = []

    def prepare():
        seen.append(wood.lock.holder())
        wood.save_values({**wood.values(), "COLOUR": "red"})

    with working(wood, prepare=prepare) as work:
        assert work.config.values["COLOUR"] == "red"
    assert "rigger check" in seen[0]


def test_values_that_cannot_be_used_are_said_and_the_lock_is_free_again(wood):
    wood.save_values({**wood.values(), "NODES": "many"})
    with pytest.raises(InvalidConfig, match="NODES"), working(wood):
        raise AssertionError("nothing can be done with these")
    assert wood.lock.holder() == ""


def test_steps_are_carried_out_and_reported(wood, cluster):
    heard = Listener()
    with working(wood, reporter=heard) as work:
        result = work.run(checks(work), {"asked": "before"}, lambda steps: {"steps_done": len(steps)})
        assert work.state.runs.last.started.run == result.run
    assert cluster.ran() == ["provider/check", "platform/check"] and len(heard.steps) == 2
    report = result.as_dict()
    assert [*report] == ["asked", "run", "seconds", "steps", "steps_done"]
    assert (report["asked"], report["steps_done"]) == ("before", 2) and result.environment == "wood"


def test_what_fails_carries_what_was_done_until_then(wood, cluster):
    cluster.script("provider", "check", "exit 3")
    with working(wood) as work, pytest.raises(StepFailed) as caught:
        work.run(
            Plan("check", checks(work).steps[:1]), after=lambda steps: {"codes": [s.exit_code for s in steps]}
        )
    assert caught.value.result.as_dict()["codes"] == [3]
    assert [step.good for step in caught.value.result.steps] == [False]


def test_a_run_is_prepared_before_it_begins(wood, cluster):
    prepared = []

    def prepare(run):
        prepared.append((run, run.id, cluster.ran()))

    with working(wood) as work:
        result = work.run(checks(work), prepare=prepare)
    [(run, name, ran)] = prepared
    assert (name, ran) == ("", []) and run.id == result.run
    assert cluster.ran() == ["provider/check", "platform/check"]


def test_state_and_nodes_are_those_of_now(wood):
    with working(wood) as work:
        assert work.nodes == [] and work.state.runs.last is None
        work.run(checks(work))
        assert work.state.runs.last.started.command == "check"
        record = work.record(Resumed(), "r1")
        assert (record["event"], record["run"]) == ("resumed", "r1")
        assert wood.audit.records()[-1] == record


def test_what_this_machine_lacks_is_said_before_anything_starts(wood, cluster, modules):
    modules.write("provider", "soil", "tools: [no-such-program]\n")
    with working(wood) as work, pytest.raises(NotReady, match="no-such-program"):
        work.require_ready(checks(work))
    assert cluster.ran() == []


def test_clients_that_are_missing_are_installed_first(wood, cluster):
    cluster.script("platform", "setup-clients", ': >"$RIGGER_BIN_DIR/leaf"')
    for verbs in (["setup-clients", "check"], ["check"]):
        with working(wood) as work:
            plan = work.prepared(Plan("check", checks(work).steps[1:]))
            assert [step.verb for step in plan.steps] == verbs
            work.run(plan)
