"""Which version a cluster runs."""

import pytest
from helpers.audit_events import PROVIDER, begun, ran, tell

from rigger.audit.versions import UNKNOWN, Deployed, VersionHistory

ONE, TWO = Deployed("1"), Deployed("2")
JUMP = {"from": "1", "to": "2"}
UP = ("upgrade-started", {**JUMP, "style": "graceful", "rollback": False})
ALLOWED = ("version-change-allowed", {**JUMP, "ref": "", "checkout": "", "by": "eve@here"})


def deployed(version="1", **fields):
    return ran("deploy", VERSION=version, **fields)


@pytest.mark.parametrize(
    "one, other, same",
    [
        (Deployed("v1.9.0"), Deployed("1.9.0"), True),
        (Deployed("1.9.0"), Deployed("1.10.0"), False),
        (Deployed("1.9.0-3-gabc", ref="main"), Deployed("1.9.0-4-gdef", ref="main"), True),
        (Deployed("1.9.0", ref="main"), Deployed("1.9.0", ref="next"), False),
        (Deployed("1.9.0", ref="v1.9.0"), Deployed("1.9.0"), False),
        (Deployed("1", folder="/a"), Deployed("2", folder="/b"), True),
        (Deployed("1", folder="/a"), Deployed("1"), False),
    ],
)
def test_what_is_one_version(one, other, same):
    assert one.is_same(other) is other.is_same(one) is same


def test_a_folder_is_gone_over_to_without_ceremony():
    assert not Deployed("1").changes_to(Deployed("2", folder="/a"))
    assert Deployed("2", folder="/a").changes_to(Deployed("1"))
    assert tell(VersionHistory(), deployed("1"), begun("deploy", VERSION="2", CHECKOUT="/a")).begun is None


def test_what_was_deployed_last_runs():
    assert VersionHistory().running is None
    assert tell(VersionHistory(), begun("deploy", VERSION="1")).running is None
    assert tell(VersionHistory(), deployed(exit_code=1)).running is None
    assert tell(VersionHistory(), deployed(REF="main", CHECKOUT="/c")).running == Deployed("1", "main", "/c")
    history = tell(VersionHistory(), deployed("1"), ran("install", VERSION="2"))
    assert history.running == ONE
    assert tell(history, deployed("2")).running == TWO


def test_one_that_was_begun_runs_in_part():
    history = tell(VersionHistory(), deployed("1"), begun("deploy", VERSION="2"))
    assert (history.running, history.begun) == (ONE, TWO)
    assert tell(history, deployed("1", exit_code=1)).begun == TWO
    assert tell(history, deployed("2")).begun is None


def test_upgrades():
    history = tell(VersionHistory(), deployed("1", REF="main"), UP)
    assert history.running == Deployed("1", "main")
    assert tell(history, ("upgrade-finished", JUMP)).running == TWO
    history = tell(VersionHistory(), deployed("1", REF="main"), UP)
    back = ("upgrade-rolled-back", {"from": "2", "to": "1"})
    assert tell(history, back).running == Deployed("1", "main")


def test_what_takes_it_away():
    suspended = ran("undeploy", command="suspend"), ran("suspend", PROVIDER, command="suspend")
    history = tell(VersionHistory(), deployed("1"), *suspended)
    assert history.running == ONE, "a resume brings it again"
    assert tell(history, ran("undeploy", command="destroy", exit_code=1)).running == ONE
    assert tell(history, ran("undeploy", command="destroy")).running is None
    assert tell(history, deployed("1"), ("destroyed", {"nodes": []})).running is None


def test_a_permission_holds_for_one_change():
    history = tell(VersionHistory(), deployed("1"), ALLOWED)
    assert history.allowed == TWO
    assert tell(history, ("configured", {"by": "rigger config", "changed": ["NODES"]})).allowed == TWO
    assert tell(history, ("configured", {"by": "rigger config", "changed": ["VERSION"]})).allowed is None
    assert tell(history, ALLOWED, deployed("2")).allowed is None


def test_of_a_folder_that_came_in_a_bundle_nothing_is_known():
    loaded = ("loaded", {"file": "x.rigger", "serial": 1, "signer": "", "digests": {}})
    history = tell(VersionHistory(), deployed("1", CHECKOUT="/a"), loaded)
    assert history.running == UNKNOWN and not history.running.changes_to(Deployed("1.0.0-0-gabc"))
    assert tell(VersionHistory(), deployed("1"), loaded).running == ONE
