"""An upgrade, its rest and the way back, from Python."""

import contextlib
import json
import os

import pytest
from helpers.second_machine import VERSION_OF
from helpers.without_terminal import Listener, Person, configured

from rigger.audit.state import ClusterState
from rigger.errors import BadUsage, InvalidConfig, StepFailed
from rigger.operations import upgrade_record
from rigger.operations.planned import planned
from rigger.operations.provision import provision
from rigger.operations.upgrade import upgrade
from rigger.operations.upgrade_request import UpgradeOptions
from rigger.values import replace

GRACEFUL = UpgradeOptions(to="1.10.0", style="graceful")
STEPS = ["backup", "upgrade-graceful", "check"]


@pytest.fixture
def wood(trees):
    environment = configured(trees, VERSION="1.9.0")
    provision(environment)
    trees.ran()
    return environment


def test_an_upgrade(wood):
    heard = Listener()
    result = upgrade(wood, GRACEFUL, heard)
    report = result.as_dict()
    assert [*report] == ["from", "to", "run", "seconds", "steps"]
    assert (report["from"], report["to"]) == ("1.9.0", "1.10.0")
    assert [step["step"] for step in report["steps"]] == STEPS
    assert (wood.vars()["VERSION"], wood.vars()["TREE_VERSION"]) == ("1.10.0", "1.10.0")
    [saved] = wood.backups.bundles()
    assert f"  {saved}" in heard.lines and len(heard.steps) == 3


def test_the_plan_changes_nothing(wood, trees):
    wood.call = replace(wood.call, plans=True)
    shown = planned(lambda: upgrade(wood, GRACEFUL))
    assert [step["step"] for step in shown.as_dict()["steps"]] == STEPS
    assert trees.ran() == [] and wood.backups.bundles() == [] and wood.vars()["VERSION"] == "1.9.0"


def test_what_was_not_said_is_asked(wood):
    person = Person("2.0.0", "graceful")
    with pytest.raises(BadUsage, match="only within a major version"):
        upgrade(wood, UpgradeOptions(), consent=person.consent())
    assert person.asked == ["Upgrade from 1.9.0 to?", "How?"]
    with pytest.raises(BadUsage, match="Which version"):
        upgrade(wood, UpgradeOptions())
    with pytest.raises(BadUsage, match="Which style"):
        upgrade(wood, UpgradeOptions(to="1.10.0"))


def test_a_failure_carries_what_was_done_and_the_ways_out(wood, trees):
    trees.script("platform", "upgrade-graceful", "exit 3")
    with pytest.raises(StepFailed) as caught:
        upgrade(wood, GRACEFUL)
    report = caught.value.result.as_dict()
    assert [(step["step"], step["good"]) for step in report["steps"]] == [
        ("backup", True),
        ("upgrade-graceful", False),
    ]
    assert (
        "between two versions, on its way from 1.9.0 to 1.10.0; 1.9.0 is recorded." in caught.value.next_step
    )
    [backup] = os.listdir(wood.file("backups"))
    assert f'"rigger restore {wood.file("backups", backup)}"' in caught.value.next_step
    with pytest.raises(InvalidConfig, match="from 1.9.0 to 1.10.0 is not finished"):
        upgrade(wood, GRACEFUL)


def test_the_rest_of_one_that_did_not_finish(wood, trees):
    trees.script("platform", "upgrade-graceful", "exit 3")
    with pytest.raises(StepFailed):
        upgrade(wood, GRACEFUL)
    trees.script("platform", "upgrade-graceful", VERSION_OF)
    result = upgrade(wood, UpgradeOptions(resume=True))
    assert [step.step.verb for step in result.steps] == STEPS[1:]
    assert wood.vars()["VERSION"] == "1.10.0" and len(wood.backups.bundles()) == 1


def test_the_way_back(wood, trees):
    trees.script("platform", "upgrade-graceful", "exit 3")
    with pytest.raises(StepFailed):
        upgrade(wood, GRACEFUL)
    trees.script("platform", "upgrade-graceful", VERSION_OF)
    for options in (
        UpgradeOptions(resume=True, rollback=True),
        UpgradeOptions(resume=True, to="1.10.0"),
        UpgradeOptions(rollback=True, style="graceful"),
    ):
        with pytest.raises(BadUsage, match="stand alone"):
            upgrade(wood, options)
    result = upgrade(wood, UpgradeOptions(rollback=True))
    assert (result.as_dict()["from"], result.as_dict()["to"]) == ("1.10.0", "1.9.0")
    assert wood.vars()["VERSION"] == "1.9.0"
    with pytest.raises(BadUsage, match="No upgrade of wood is unfinished"):
        upgrade(wood, UpgradeOptions(rollback=True))


def test_what_could_not_be_recorded_carries_the_result(wood, monkeypatch):
    save_values = type(wood).save_values

    def full(self, values, *more):
        if values["VERSION"] == "1.10.0":
            raise InvalidConfig("There is no room.")
        save_values(self, values, *more)

    monkeypatch.setattr(type(wood), "save_values", full)
    with pytest.raises(InvalidConfig) as caught:
        upgrade(wood, GRACEFUL)
    assert [step["step"] for step in caught.value.result.as_dict()["steps"]] == STEPS


@pytest.mark.parametrize(("script", "event"), [(VERSION_OF, "post-upgrade"), ("exit 3", "failed")])
def test_hooks_hear_what_became_of_it(wood, trees, script, event):
    heard = wood.file("heard")
    trees.modules.script(os.path.join(wood.home, "hooks"), event, f'cat >"{heard}"\n')
    trees.script("platform", "upgrade-graceful", script)
    with contextlib.suppress(StepFailed):
        upgrade(wood, GRACEFUL)
    with open(heard) as file:
        told = json.load(file)
    assert (told["command"], told["to"]) == ("upgrade", "1.10.0")


# What the audit log says


def record(event, **fields):
    return {"event": event, "run": "r1", "seq": 1, "time": "", **fields}


def commit_before(*records):
    return ClusterState.of(records).checkouts.before_upgrade


def test_the_commit_before_the_last_upgrade():
    begun, back = record("upgrade-started"), record("upgrade-started", rollback=True)
    checked_out = record("checked-out", before="aaa")
    assert commit_before() == commit_before(checked_out) == commit_before(begun) == ""
    assert commit_before(begun, checked_out) == "aaa"
    assert commit_before(begun, checked_out, begun) == ""
    assert commit_before(begun, checked_out, back, record("checked-out", before="bbb")) == "aaa"


def test_when_the_backup_of_an_upgrade_was_whole():
    def backup_finished(command, **end):
        started = record("step-started", command=command, step="backup", number=1)
        done = record("step-finished", number=1, time="1970-01-01T00:01:00.250Z", **end)
        changing = record("step-started", command="upgrade", step="upgrade-graceful", number=2)
        backup = ClusterState.of([record("upgrade-started"), started, done, changing]).upgrade.backup
        return upgrade_record.end_of(backup) if backup else 0

    assert backup_finished("upgrade", exit_code=0) == pytest.approx(60.251)
    assert backup_finished("backup", exit_code=0) == 0
    assert backup_finished("upgrade", exit_code=1) == 0
