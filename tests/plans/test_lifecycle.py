"""What is destroyed, and what is remembered of it."""

from helpers.plan_steps import AFTER_DEPLOY


def test_a_destroy_of_the_platform_alone_is_remembered(provisioned):
    provisioned.script("platform", "undeploy", 'kill -9 "$PPID"')
    provisioned.rigger("destroy", "--yes", code=-9)
    provisioned.ran()
    provisioned.rigger("provision")
    assert provisioned.ran() == ["platform/install", *AFTER_DEPLOY]


def test_destroy_before_anything_was_made(cluster):
    cluster.rigger("destroy", "--yes")
    assert cluster.ran() == ["provider/destroy"]
