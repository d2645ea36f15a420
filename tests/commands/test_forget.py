"""rigger forget"""

import os

import pytest


def test_a_cluster_that_may_exist_is_not_forgotten(provisioned):
    refused = provisioned.rigger("forget", "wood", "--yes", code=2)
    assert "may still have machines" in refused.err and "rigger -e wood destroy" in refused.err
    assert os.path.isdir(provisioned.path)


@pytest.mark.slow
def test_a_destroyed_one_is_forgotten_with_the_links_to_it(provisioned):
    provisioned.rigger("destroy", "--yes")
    refused = provisioned.rigger("forget", "wood", code=2)
    assert "--yes" in refused.err and os.path.isdir(provisioned.path)
    assert "wood is forgotten" in provisioned.rigger("forget", "wood", "--yes").out
    assert not os.path.lexists(provisioned.path)
    assert not os.path.lexists(provisioned.rigger.path("current"))
    assert not os.path.lexists(provisioned.rigger.path("vars"))
    assert os.listdir(provisioned.rigger.path("environments")) == []
    provisioned.rigger("forget", "wood", "--yes", code=3)
    provisioned.rigger("status", code=3)


def test_a_configured_one_can_be_forgotten(cluster):
    cluster.rigger("forget", "wood", "--yes")


def test_one_whose_create_was_killed_is_not(cluster):
    cluster.script("provider", "create", 'kill -9 "$PPID"')
    cluster.rigger("provision", code=-9)
    cluster.rigger("forget", "wood", "--yes", code=2)


def test_another_one_stays_current(cluster):
    cluster.configure("--name", "other")
    cluster.rigger("forget", "wood", "--yes")
    assert os.readlink(cluster.rigger.path("current")) == os.path.join("environments", "other")
