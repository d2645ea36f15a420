"""Is the record what was written, and the cluster what rigger made? From Python."""

import os

import pytest
from helpers.without_terminal import Listener

from rigger.errors import DifferencesFound, StepFailed
from rigger.operations.audit import audit
from rigger.operations.history import history
from rigger.operations.provision import provision


@pytest.fixture
def stood(wood, cluster):
    provision(wood)
    cluster.ran()
    return wood


def lines_of(environment) -> list[str]:
    with open(environment.file("audit.jsonl")) as file:
        return file.readlines()


def rewrite(environment, lines) -> None:
    with open(environment.file("audit.jsonl"), "w") as file:
        file.writelines(lines)


def test_a_log_that_is_whole(stood):
    heard = Listener()
    report = audit(stood, heard).as_dict()
    records = stood.audit.records()
    log = {"records": len(records), "head": records[-1]["hash"], "problems": []}
    unlooked = [
        "The provider soil was not looked at: it has no script audit.",
        "The platform tree was not looked at: it has no script audit.",
    ]
    assert report == {**log, "changed": [], "not_looked_at": unlooked}
    assert heard.lines == [
        f"{len(records)} records, unbroken. Head:",
        f"  {len(records)}:{records[-1]['hash']}",
    ]


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[:1] + lines[2:],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [lines[0].replace("rigger configure", "rigger CONFIGURE"), *lines[1:]],
    ],
    ids=["a line less", "another order", "other words"],
)
def test_a_log_that_was_touched(stood, damage):
    rewrite(stood, damage(lines_of(stood)))
    with pytest.raises(DifferencesFound, match="The audit log of wood is not what was written") as caught:
        audit(stood)
    assert "rigger audit --bundle FILE" in caught.value.next_step and "--repair" in caught.value.next_step
    report = caught.value.result.as_dict()
    assert report["problems"] and "changed" not in report, "nobody looked for that"


def test_a_log_that_was_cut_at_its_end_does_not_end_in_its_head(stood):
    whole = lines_of(stood)
    rewrite(stood, whole[:-2])
    with pytest.raises(DifferencesFound, match=f"2 records are missing at the end: there were {len(whole)}"):
        audit(stood)


def test_what_was_changed_by_hand(stood, cluster):
    cluster.script("provider", "audit", "exit 8")
    cluster.script("platform", "audit")
    with pytest.raises(DifferencesFound, match="^wood is not what rigger made: ") as caught:
        audit(stood)
    assert cluster.ran() == ["provider/audit", "platform/audit"], "one that found something stops no other"
    [sentence] = caught.value.result.changed
    assert sentence.endswith("found differences.") and "soil" in sentence
    assert caught.value.result.as_dict()["problems"] == []
    cluster.script("provider", "audit")
    assert audit(stood).changed == ()


def test_an_audit_compares_with_the_last_provision(stood, cluster):
    cluster.script("provider", "audit", 'echo "NODES=$NODES" >>"$NOTED"; test "$NODES" = 2 || exit 8')
    cluster.script("platform", "audit", 'echo "COLOUR=$COLOUR" >>"$NOTED"; test "$COLOUR" = green || exit 8')
    stood.save_values({**stood.values(), "NODES": "4", "COLOUR": "red", "COMMENT": "another"})
    heard = Listener()
    assert audit(stood, heard).changed == ()
    assert cluster.ran() == ["provider/audit", "NODES=2", "platform/audit", "COLOUR=green"]
    assert any("configured since: NODES 2 -> 4, COLOUR green -> red." in line for line in heard.lines)
    assert stood.values()["NODES"] == "4", "what was configured stays"
    provision(stood)
    cluster.ran()
    with pytest.raises(DifferencesFound):
        audit(stood)
    assert cluster.ran() == ["provider/audit", "NODES=4", "platform/audit", "COLOUR=red"]


def test_found_differences_are_no_failure_of_the_script(stood, cluster):
    cluster.script("provider", "audit", "exit 8")
    with pytest.raises(DifferencesFound):
        audit(stood)
    last = history(stood).runs[-1]
    assert (last.command, last.outcome) == ("audit", "done")


def test_a_script_that_cannot_tell_is_a_failure(stood, cluster):
    cluster.script("provider", "audit", "exit 3")
    cluster.script("platform", "audit", "exit 8")
    with pytest.raises(StepFailed, match="exited 3"):
        audit(stood)


def test_where_nothing_was_made_nothing_is_looked_at(wood, cluster):
    cluster.script("provider", "audit", "exit 8")
    assert audit(wood).changed == () and cluster.ran() == []


def test_the_log_can_be_read_although_the_values_cannot(stood, cluster):
    cluster.script("provider", "audit", "exit 8")
    stood.save_values({**stood.values(), "NODES": "many"})
    assert audit(stood).as_dict()["problems"] == [] and cluster.ran() == []


def test_without_audit_scripts_no_lock_is_needed(stood):
    with stood.locked("rigger upgrade"):
        assert audit(stood).changed == ()
    assert not [name for name in os.listdir(stood.file("runs")) if "audit" in name]
