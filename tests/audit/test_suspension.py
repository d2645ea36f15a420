"""Whether a cluster is suspended, and where its data are."""

import pytest
from helpers.audit_events import PROVIDER, begun, tell

from rigger.audit.suspension import SuspensionHistory, require_not_suspended
from rigger.errors import InvalidConfig

SAVED = "backups/1.backup"
STARTED, DONE = ("suspend-started", {"backup": SAVED}), ("suspended", {"backup": SAVED})


def test_a_suspend_that_only_began_has_taken_nothing():
    assert tell(SuspensionHistory(), STARTED, begun("backup")).suspension is None


@pytest.mark.parametrize("step", [begun("undeploy"), begun("suspend", PROVIDER)])
def test_from_the_first_step_that_takes_something_the_backup_is_all_there_is(step):
    suspension = tell(SuspensionHistory(), STARTED, step).suspension
    assert suspension.emptied and suspension.backup == SAVED and not suspension.done
    assert tell(SuspensionHistory(), STARTED, step, DONE).suspension.done


def test_an_undeploy_before_it_is_none_of_its_own():
    assert tell(SuspensionHistory(), begun("undeploy"), STARTED).suspension is None


@pytest.mark.parametrize(
    "end",
    [("resumed", {}), ("destroyed", {"nodes": []}), begun("destroy", PROVIDER, command="destroy")],
)
def test_what_ends_a_suspension(end):
    history = tell(SuspensionHistory(), STARTED, begun("suspend", PROVIDER), DONE, end)
    assert history.suspension is None
    assert tell(history, STARTED).suspension is None, "the next one begins anew"


def test_where_no_backup_was_made_none_is_named():
    history = tell(SuspensionHistory(), begun("suspend", PROVIDER), ("suspended", {"backup": ""}))
    assert history.suspension.saved == history.suspension.backup == ""


def test_a_suspended_cluster_is_refused_with_the_way_back():
    require_not_suspended("wood", None)
    with pytest.raises(InvalidConfig) as problem:
        require_not_suspended("wood", tell(SuspensionHistory(), DONE).suspension)
    assert (problem.value.message, problem.value.next_step) == ("wood is suspended.", 'Type "rigger resume".')
