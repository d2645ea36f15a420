"""What may be left over, by the records of a log."""

import pytest
from helpers.audit_events import PLATFORM, PROVIDER, begun, ended, tell

from rigger.audit.leftovers import LeftoverHistory


def step(verb, *leftovers, module=PROVIDER, run="run-1", **how):
    """Return the records of a step that named what is left over."""
    start = begun(verb, module, run=run)
    name, fields = ended(start, **how)
    return name, {**fields, "leftovers": [*leftovers]}


BEHIND = ("left-behind", {"items": ["pot 1", "pot 2"]})


@pytest.mark.parametrize(
    ("told", "items"),
    [
        ([], []),
        ([BEHIND, BEHIND], ["pot 1", "pot 2"]),
        ([step("create", "disk")], ["disk"]),
        ([("step-recovered", {"leftovers": ["disk"]})], ["disk"]),
        ([BEHIND, step("create")], ["pot 1", "pot 2"]),
        ([BEHIND, ("said-gone", {"items": ["pot 1"]})], ["pot 2"]),
        ([BEHIND, ("destroyed", {})], []),
        # A destroy that ended well knows what is there, one that did not does not.
        ([step("create", "disk"), step("destroy", "address", run="run-2")], ["address"]),
        ([step("create", "disk"), step("destroy", exit_code=3, run="run-2")], ["disk"]),
        ([step("create", "disk"), step("destroy", interrupted=True, run="run-2")], ["disk"]),
        ([step("undeploy", "etcd", module=PLATFORM), step("destroy")], ["etcd"]),
        ([step("undeploy", "etcd", module=PLATFORM), step("destroy", run="run-2")], []),
    ],
)
def test_what_is_left_over(told, items):
    assert tell(LeftoverHistory(), *told).items == items


def test_what_is_said_to_be_gone_is_remembered_until_all_is_destroyed():
    history = tell(LeftoverHistory(), BEHIND, ("said-gone", {"items": ["pot 1"]}))
    assert [*history.gone] == ["pot 1"]
    assert [*tell(history, step("create", "pot 1")).gone] == []
    assert [*tell(history, ("said-gone", {"items": ["pot 2"]}), ("destroyed", {})).gone] == []
