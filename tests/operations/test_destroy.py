"""A cluster that is removed, and what is left of it, from Python."""

import pytest
from helpers.clusters import PROVIDER, Cluster
from helpers.without_terminal import Listener, Person, configured

from rigger.environments.state import state_of
from rigger.errors import BadUsage, Declined, StepFailed
from rigger.operations.consent import Consent
from rigger.operations.destroy import destroy
from rigger.operations.provision import provision

YES = Consent(yes=True)


class Typist(Person):
    """Somebody who types what a list says."""

    def type_back(self, text, expected):
        return self._answer(text) == expected


@pytest.fixture
def stood(wood, cluster):
    provision(wood)
    cluster.ran()
    return wood


def test_all_of_it_goes_and_the_record_stays(stood, cluster):
    heard = Listener()
    report = destroy(stood, heard, YES).as_dict()
    assert cluster.ran() == ["platform/undeploy", "provider/destroy"]
    assert report["leftovers"] == [] and [step["good"] for step in report["steps"]] == [True, True]
    assert stood.nodes() == [] and stood.exists() and state_of(stood).cluster is None
    assert heard.lines[0] == "This will go from wood, for good:"
    assert any("node-1" in line for line in heard.lines[1:])


def test_its_name_has_to_be_typed(stood, cluster):
    person = Typist("woods")
    with pytest.raises(Declined, match="That is not its name"):
        destroy(stood, consent=person.consent())
    assert person.asked == ["Type wood to destroy it"]
    with pytest.raises(BadUsage, match="There is no terminal to ask on: Type wood to destroy it"):
        destroy(stood)
    assert cluster.ran() == [] and len(stood.nodes()) == 2
    destroy(stood, consent=Typist("wood").consent())
    assert stood.nodes() == []


def test_what_a_provider_could_not_remove_is_listed(stood, cluster):
    cluster.script("provider", "destroy", 'rigger-save-vars LEFTOVERS="disk d-1"; exit 3')
    with pytest.raises(StepFailed, match="wood is not destroyed completely") as caught:
        destroy(stood, consent=YES)
    assert caught.value.result.as_dict()["leftovers"] == ["disk d-1"]
    assert caught.value.message.endswith("Left over:\n  disk d-1"), "what it names itself is all there is"
    assert "Try again:\n  rigger destroy" in caught.value.next_step
    assert state_of(stood).cluster is not None


def test_machines_that_nobody_speaks_of_are_left_over_too(stood, cluster):
    cluster.script("provider", "destroy", "exit 3")
    with pytest.raises(StepFailed) as caught:
        destroy(stood, consent=YES)
    assert "machine node-1 (10.0.0.1)\n  machine node-2 (10.0.0.2)" in caught.value.message
    cluster.script("provider", "destroy")
    destroy(stood, consent=YES)
    assert state_of(stood).cluster is None


def test_a_platform_that_cannot_be_removed_goes_with_its_machines(stood, cluster):
    cluster.script("platform", "undeploy", "exit 3")
    result = destroy(stood, consent=YES)
    assert [step.good for step in result.steps] == [False, True] and state_of(stood).cluster is None


def test_no_shell_is_pointed_at_what_is_no_more(rigger, modules, in_process):
    cluster = in_process(Cluster(rigger, modules, provider=PROVIDER + "    outputs: [GATE]\n"))
    cluster.script("provider", "install", "rigger-save-vars GATE=https://10.0.0.1 MINE=mine")
    wood = configured(cluster, COLOUR="red")
    provision(wood)
    assert wood.vars()["GATE"] == "https://10.0.0.1"
    destroy(wood, consent=YES)
    assert "GATE" not in wood.vars() and wood.vars()["COLOUR"] == "red"
