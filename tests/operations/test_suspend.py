"""A cluster that is suspended and resumed, from Python."""

import os

import pytest
from helpers.clusters import MAKE_NODES
from helpers.without_terminal import Listener, Person, configured

from rigger.environments.state import state_of
from rigger.errors import BadUsage, Declined, InvalidConfig, StepFailed
from rigger.operations.consent import Consent
from rigger.operations.provision import provision
from rigger.operations.suspend import resume, suspend

YES = Consent(yes=True)


@pytest.fixture
def wood(trees):
    """A cluster whose machines can be suspended and whose data can be kept."""
    trees.script("provider", "suspend")
    trees.script("provider", "resume", MAKE_NODES)
    environment = configured(trees, VERSION="1.9.0")
    provision(environment)
    trees.ran()
    return environment


def test_the_data_is_kept_where_the_machines_go(wood, trees):
    heard = Listener()
    result = suspend(wood, heard, YES)
    assert trees.ran() == ["platform/backup", "platform/undeploy", "provider/suspend"]
    path = result.as_dict()["backup"]
    with open(path) as file:
        assert file.read() == "data\n"
    assert os.path.dirname(path) == wood.file("backups") and wood.nodes() == []
    assert heard.lines[0] == "This will go from wood until it is resumed:"
    assert heard.lines[-1] == f"The platform's data is kept in {path}."


def test_it_comes_back_with_its_data(wood, trees):
    suspend(wood, consent=YES)
    trees.ran()
    result = resume(wood)
    ran = trees.ran()
    assert ran[0] == "provider/resume" and "platform/restore" in ran and "platform/deploy" in ran
    assert all(step.good for step in result.steps) and len(wood.nodes()) == 2
    assert state_of(wood).suspension is None
    with pytest.raises(BadUsage, match="wood is not suspended"):
        resume(wood)


def test_nothing_goes_that_nobody_agreed_to(wood, trees):
    with pytest.raises(BadUsage, match=r"There is no terminal to ask on: Suspend it\?"):
        suspend(wood)
    person = Person(False)
    with pytest.raises(Declined):
        suspend(wood, consent=person.consent())
    assert person.asked == ["Suspend it?"] and trees.ran() == [] and state_of(wood).suspension is None


def test_there_has_to_be_something_to_suspend(trees):
    wood = configured(trees, VERSION="1.9.0")
    with pytest.raises(InvalidConfig, match="There is no cluster to suspend in wood yet") as caught:
        suspend(wood, consent=YES)
    assert caught.value.next_step == "Make it:\n  rigger provision"


def test_a_provider_that_cannot_says_so(trees):
    wood = configured(trees, VERSION="1.9.0")
    provision(wood)
    with pytest.raises(BadUsage, match="soil"):
        suspend(wood, consent=YES)
    assert state_of(wood).suspension is None


def test_machines_that_are_only_turned_off_keep_what_is_on_them(wood, trees):
    with open(os.path.join(trees.folders["provider"], "rigger.yml"), "a") as file:
        file.write("suspend: stops\n")
    heard = Listener()
    result = suspend(wood, heard, YES)
    assert result.as_dict()["backup"] == "" and "platform/backup" not in trees.ran()
    assert heard.lines[0] == "The machines of wood will be turned off; what is on them stays."


def test_a_suspend_that_goes_on_keeps_the_first_backup(wood, trees):
    trees.script("provider", "suspend", "exit 3")
    with pytest.raises(StepFailed) as caught:
        suspend(wood, consent=YES)
    first = caught.value.result.as_dict()["backup"]
    trees.script("provider", "suspend")
    trees.script("platform", "backup", 'echo nothing >"$RIGGER_BACKUP_FILE"')
    trees.ran()
    assert suspend(wood, consent=YES).as_dict()["backup"] == first
    assert "platform/backup" not in trees.ran(), "there is no data left to keep"
    resume(wood)
    with open(first) as file:
        assert file.read() == "data\n"


def test_a_backup_that_is_gone_stops_a_resume_unless_it_is_not_wanted(wood, trees):
    os.unlink(suspend(wood, consent=YES).as_dict()["backup"])
    trees.ran()
    with pytest.raises(BadUsage, match="The backup that resume would put back is not here") as caught:
        resume(wood)
    assert '"rigger resume --empty"' in caught.value.next_step and trees.ran() == []
    resume(wood, empty=True)
    ran = trees.ran()
    assert "platform/deploy" in ran and "platform/restore" not in ran


def test_a_platform_without_a_backup_is_said_to_lose_its_data(wood, trees):
    os.unlink(os.path.join(trees.folders["platform"], "backup"))
    heard = Listener()
    assert suspend(wood, heard, YES).as_dict()["backup"] == ""
    assert heard.lines[-1] == "No backup of the data is made."
