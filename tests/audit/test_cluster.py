"""Which cluster was made, and as what."""

import pytest
from helpers.audit_events import PROVIDER, begun, ran, tell

from rigger.audit.cluster import ClusterHistory


def run(name, id="0123456789", provider="soil", platform="tree"):
    return "run-started", {"run": name, "id": id, "provider": provider, "platform": platform}


@pytest.mark.parametrize("step", ["check", "plan", "audit"])
def test_a_look_makes_nothing(step):
    assert tell(ClusterHistory(), run("1"), ran(step)).cluster is None


def test_it_is_made_as_soon_as_a_step_begins():
    cluster = tell(ClusterHistory(), run("1"), begun("create", PROVIDER, NODES="3", TOKEN="***a")).cluster
    assert cluster.modules == {"PLATFORM": {"tree"}, "PROVIDER": {"soil"}}
    assert (cluster.id, cluster.ids) == ("0123456789", {"0123456789"})
    assert cluster.answers == {"NODES": "3"}, "secrets apart"


def test_runs_before_it_do_not_count_and_later_ones_do():
    history = tell(ClusterHistory(), run("1", platform="stone"), ran("check"))
    tell(history, run("2"), begun("create", PROVIDER), run("3", id="abcdefabcd", platform="tree-2"))
    assert history.cluster.modules["PLATFORM"] == {"tree", "tree-2"}
    assert (history.cluster.id, history.cluster.ids) == ("abcdefabcd", {"0123456789", "abcdefabcd"})


def test_an_older_rigger_recorded_less():
    cluster = tell(ClusterHistory(), begun("create", PROVIDER)).cluster
    assert (cluster.id, cluster.ids, cluster.modules["PROVIDER"], cluster.answers) == ("", set(), set(), {})


def test_the_version_is_the_one_that_runs():
    history = tell(ClusterHistory(), run("1"), ran("deploy", VERSION="1"))
    jump = {"from": "1", "to": "2", "style": "graceful"}
    tell(history, ("upgrade-started", {**jump, "rollback": False}))
    tell(history, begun("upgrade-graceful", command="upgrade", VERSION="2"))
    assert history.cluster.answers["VERSION"] == "1"
    tell(history, ("upgrade-finished", jump))
    assert history.cluster.answers["VERSION"] == "2"
    tell(history, ("upgrade-started", {**jump, "from": "2", "to": "1", "rollback": True}))
    assert history.cluster.answers["VERSION"] == "2"
    tell(history, ("upgrade-rolled-back", {"from": "2", "to": "1"}))
    assert history.cluster.answers["VERSION"] == "1"


def test_on_the_way_back_the_version_is_still_the_one_that_it_left_from():
    history = tell(ClusterHistory(), run("1"), ran("deploy", VERSION="1"))
    tell(history, ("upgrade-started", {"from": "1", "to": "2", "style": "graceful", "rollback": False}))
    tell(history, ("upgrade-started", {"from": "2", "to": "1", "style": "graceful", "rollback": True}))
    assert history.cluster.answers["VERSION"] == "1"


def test_nothing_is_known_of_a_destroyed_one_but_that_it_was():
    history = tell(ClusterHistory(), run("1"), ran("deploy", VERSION="1", NODES="3"))
    assert not history.destroyed
    tell(history, ("destroyed", {"nodes": []}))
    assert history.destroyed and history.cluster is None
    tell(history, run("2", id="abcdefabcd"), begun("create", PROVIDER))
    assert history.cluster.ids == {"abcdefabcd"} and history.cluster.answers == {}
