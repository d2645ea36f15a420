"""What a killed apply may have made, by its journal and the state."""

import json

import pytest
from helpers.terraform_provider import needs_terraform

from rigger.terraform import lost

pytestmark = needs_terraform
OLD, NEW = {"attributes": {"id": "old"}}, {"attributes": {"id": "new"}}


def record(kind, address="terraform_data.pot", action="create", **hook):
    if kind == "planned_change":
        return {"type": kind, "change": {"resource": {"addr": address}, "action": action}}
    hook = {"resource": {"addr": address}, "action": action, **hook}
    return {"type": kind, "hook": hook, "@timestamp": "2026-01-02T03:04:05.678901Z"}


REPLACE, BEGUN = record("planned_change", action="replace"), record("apply_start")
DELETED = record("apply_complete", action="delete")


def state(*instances):
    return {"resources": [{"type": "terraform_data", "name": "pot", "instances": [*instances]}]}


@pytest.fixture
def told(clay, tmp_path):
    (tmp_path / "state").mkdir()

    def told(journal, state):
        clay.put("\n".join(map(json.dumps, journal)).encode(), lost.JOURNAL)
        return [str(item) for item in lost.lost(clay.workspace, state)]

    return told


UNDER_WAY = (
    "terraform_data.pot was being made, since 2026-01-02T03:04:05Z, when Terraform was killed: "
    "look if it exists"
)


@pytest.mark.parametrize(
    ("journal", "state", "expected"),
    [
        ([BEGUN], state(), [UNDER_WAY]),
        ([BEGUN], state(NEW), []),  # another resource's end had the whole state saved
        ([BEGUN, record("apply_errored")], state(), []),
        ([REPLACE, DELETED, BEGUN], state(), [UNDER_WAY]),
        ([REPLACE, DELETED, BEGUN], state(NEW), []),
        ([REPLACE, BEGUN], state(OLD), [UNDER_WAY]),  # created before the old one is destroyed
        ([REPLACE, BEGUN], state({**OLD, "deposed": "abcd"}, NEW), []),
        ([record("apply_complete", id_key="id", id_value="new")], state(NEW), []),
    ],
)
def test_what_was_under_way(told, journal, state, expected):
    assert told(journal, state) == expected


def test_it_is_kept_until_somebody_says_that_it_is_gone(clay, told):
    told([BEGUN], state())
    lost.keep(clay.workspace, lost.lost(clay.workspace, state()))
    assert told([], state(NEW)) == [UNDER_WAY]
    clay.values["RIGGER_GONE"] = f"something else\n{UNDER_WAY}"
    assert told([], state()) == []


def test_an_apply_is_whole_when_nothing_is_under_way(clay, told):
    told([BEGUN], state())
    assert not lost.is_whole(clay.workspace)
    told([BEGUN, record("apply_errored")], state())
    assert lost.is_whole(clay.workspace)
