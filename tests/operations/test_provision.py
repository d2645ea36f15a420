"""A cluster that is brought to its configuration, and what that would take."""

import pytest
from helpers.without_terminal import Listener, Person

from rigger.environments.state import state_of
from rigger.errors import BadUsage, Declined, InvalidConfig, NotReady, StepFailed
from rigger.operations.consent import Consent
from rigger.operations.provision import plan, provision
from rigger.operations.suspend import suspend
from rigger.operations.values import set_values

FIRST = ["provider/install", "provider/create", "platform/install", "platform/deploy"]
CHECKS = ["provider/check", "platform/check"]


def verbs(planned) -> list[str]:
    return [f"{step.module.role}/{step.verb}" for step in planned.plan.steps]


def test_the_plan_is_what_is_done(wood, cluster):
    planned = verbs(plan(wood))
    assert planned[:4] == FIRST and cluster.ran() == [] and wood.nodes() == []
    heard = Listener()
    result = provision(wood, heard)
    assert cluster.ran() == planned and [step.good for step in result.steps] == [True] * len(planned)
    assert heard.lines[0] == "wood: tree 1.10.0 on soil"
    assert [node.name for node in wood.nodes()] == ["node-1", "node-2"]
    report = result.as_dict()
    assert [*report] == ["plan", "run", "seconds", "steps"] and len(report["plan"]["steps"]) == len(
        report["steps"]
    )


def test_what_is_up_to_date_is_looked_at_alone(wood, cluster):
    provision(wood)
    cluster.ran()
    assert not plan(wood).plan.changes
    provision(wood)
    assert not {*cluster.ran()} & {*FIRST}
    assert verbs(plan(wood, again=True))[:4] == FIRST
    provision(wood, again=True)
    assert cluster.ran()[:4] == FIRST


def test_a_value_brings_its_own_step_alone(wood, cluster):
    provision(wood)
    cluster.ran()
    set_values(wood, {"COLOUR": "red"})
    assert plan(wood).plan.changes
    provision(wood)
    ran = cluster.ran()
    assert "platform/deploy" in ran or "platform/install" in ran
    assert not plan(wood).plan.changes


def test_what_would_be_lost_takes_an_agreement(wood, cluster):
    provision(wood)
    cluster.ran()
    set_values(wood, {"REGION": "there"})
    with pytest.raises(
        BadUsage, match="There is no terminal to ask on: Continue, although what is named above will be lost"
    ):
        provision(wood)
    person = Person(False)
    with pytest.raises(Declined):
        provision(wood, consent=person.consent())
    assert person.asked == ["Continue, although what is named above will be lost?"]
    assert cluster.ran() == []
    assert [record["event"] for record in cluster.records()].count("run-started") == 1
    assert plan(wood).plan.removals
    provision(wood, consent=Consent(yes=True))
    assert "provider/create" in cluster.ran()


def test_a_failure_carries_what_was_done_and_the_next_one_goes_on(wood, cluster):
    cluster.script("platform", "deploy", "exit 3")
    with pytest.raises(StepFailed) as caught:
        provision(wood)
    assert [step["good"] for step in caught.value.result.as_dict()["steps"]] == [True, True, True, False]
    cluster.ran()
    cluster.script("platform", "deploy")
    assert verbs(plan(wood))[0] == "platform/deploy"
    provision(wood)
    assert cluster.ran()[0] == "platform/deploy"


def test_nothing_starts_where_something_is_missing(wood, cluster, modules):
    modules.write("platform", "tree", "versions: [1.9.0, 1.10.0]\ntools: [no-such-program]\n")
    with pytest.raises(NotReady, match="no-such-program"):
        provision(wood)
    assert cluster.ran() == [] and state_of(wood).runs.last is None


def test_a_suspended_cluster_is_resumed_first(wood, cluster):
    for verb in ("suspend", "resume"):
        cluster.script("provider", verb)
    provision(wood)
    suspend(wood, consent=Consent(yes=True))
    with pytest.raises(InvalidConfig, match="wood is suspended") as caught:
        provision(wood)
    assert caught.value.next_step == 'Type "rigger resume".'


def test_vars_of_another_cluster_are_refused_by_the_plan_too(wood, cluster):
    provision(wood)
    cluster.ran()
    wood.save_values({**wood.values(), "TREE_ID": "0123456789"})
    for attempt in (provision, plan):
        with pytest.raises(InvalidConfig, match='says TREE_ID="0123456789", but wood exists'):
            attempt(wood)
    assert cluster.ran() == []


# What create would change


@pytest.mark.parametrize("code, warned", [(0, False), (8, False), (3, True)])
def test_the_providers_own_plan_is_shown(wood, cluster, code, warned):
    cluster.script("provider", "plan", f"echo one machine more; exit {code}")
    heard = Listener()
    planned = plan(wood, heard, machines=True)
    assert cluster.ran() == ["provider/plan"] and verbs(planned)[:4] == FIRST and wood.nodes() == []
    assert bool(heard.warnings) is warned
    if warned:
        assert heard.warnings[0].startswith("What would change could not be shown: ")


def test_who_listens_to_no_output_gets_the_plan_in_one_piece(wood, cluster):
    class Live(Listener):
        live = True

        def pass_on(self, block):
            self.lines.append(block.decode())

    cluster.script("provider", "plan", "echo one machine more")
    heard = Live()
    plan(wood, heard, machines=True)
    assert heard.lines[-1] == "one machine more\n"


def test_machines_cannot_be_looked_at_while_somebody_works_there(wood, cluster):
    cluster.script("provider", "plan")
    heard = Listener()
    with wood.locked("rigger upgrade"):
        planned = plan(wood, heard, machines=True)
    assert verbs(planned)[:4] == FIRST and cluster.ran() == []
    assert heard.warnings[0].startswith("What would change cannot be looked at now: ")
