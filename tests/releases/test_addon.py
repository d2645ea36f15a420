"""A service that is an add-on of a rigger environment: it asks for its image, and a deployment applies it again."""

import os

import pytest
from helpers.shop import Shop, image

MANIFEST = {
    "storage": {
        "environments": [{"id": "stage", "rigger": {"environment": "wood"}}],
        "image_repositories": [{"id": "api"}],
    }
}


@pytest.fixture
def shop(rigger, modules):
    shop = Shop(rigger, modules, (), MANIFEST)
    modules.write("platform", "plain", "versions: [1.0.0]\n", deploy="true\n", check="true\n")
    shop.running = os.path.join(rigger.folder, "running")
    rigger.env["RUNNING"] = shop.running
    questions = "version: 1.0.0\nquestions: [{name: IMAGE_API, default: none}]\n"
    apply = 'case $IMAGE_API in *broken*) exit 1 ;; esac\necho "$IMAGE_API" >"$RUNNING"\n'
    check = '[ "$(cat "$RUNNING")" = "$IMAGE_API" ]\ncase $IMAGE_API in *sick*) exit 1 ;; esac\n'
    modules.write("addon", "web", questions, apply=apply, check=check, remove="true\n")
    rigger("configure", "--defaults", "--name", "wood", "--provider", "soil", "--platform", "plain")
    rigger("provision")
    rigger("module", "add", "web", "--no-input")
    rigger("provision", "-y")
    return shop


def runs(shop):
    with open(shop.running) as file:
        return file.read().strip()


@pytest.mark.slow
def test_an_add_on_carries_deployments_out(shop):
    shop.build("1")
    shop.deploy("stage", "--reason", "why")
    assert runs(shop) == image("1") == shop.value("WEB_IMAGE_API")
    shop.build("broken")
    shop.deploy("stage", code=5)
    assert runs(shop) == image("1") == shop.value("WEB_IMAGE_API")
    shop.build("sick")
    shop.deploy("stage", code=5)
    shop.deploy("stage", "--rollback")
    assert runs(shop) == image("1")
    assert [one["status"] for one in shop.deployments()] == [
        "confirmed",
        "failed",
        "rolled-back",
        "confirmed",
    ]
