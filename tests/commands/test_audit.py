"""rigger audit; what it says of a log that was changed is in tests/commands/test_history.py."""

import json


def test_a_module_that_finds_differences_is_named(provisioned):
    provisioned.script("platform", "audit", "echo node-2 has another colour; exit 8")
    said = provisioned.rigger("audit", code=8)
    assert "records, unbroken" in said.out
    assert "wood is not what rigger made: platforms/tree/audit found differences." in said.err
    report = json.loads(provisioned.rigger("audit", "-o", "json", code=8).out)
    assert report["problems"] == [] and report["changed"] == ["platforms/tree/audit found differences."]
    assert provisioned.ran() == ["platform/audit", "platform/audit"]


def test_a_module_that_cannot_look_is_no_difference(provisioned):
    provisioned.script("platform", "audit", "exit 3")
    assert "platforms/tree/audit exited 3" in provisioned.rigger("audit", code=5).err


def test_nothing_made_is_nothing_to_look_at(cluster):
    cluster.script("platform", "audit", "exit 8")
    assert "unbroken" in cluster.rigger("audit").out
    assert cluster.ran() == []
