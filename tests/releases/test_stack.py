"""A Terraform stack that carries deployments out: planned, shown, applied, and confirmed by its own script.

The real Terraform runs; no plugin can be had here, so the images come by the variables that the stack declares, as they do
for a store in a folder, and not by data sources of SSM. What "runs" is the stack's output.
"""

import os
import shutil

import pytest
from helpers.shop import FAST, MANIFEST, Shop, image

pytestmark = pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
TF = """
variable "image_api" {}
variable "image_worker" { default = "none" }
resource "terraform_data" "api" {
  input = var.image_api
  lifecycle {
    precondition {
      condition     = !strcontains(var.image_api, "broken")
      error_message = "the image is broken"
    }
  }
}
output "api" { value = terraform_data.api.output }
"""
CONFIRM = """#!/bin/sh
grep -q '"api": *"'"$IMAGE_API" "$RIGGER_IMAGES" || exit 3
case $IMAGE_API in *sick*) echo "the service is sick" >&2; exit 1 ;; esac
grep -q "$IMAGE_API" terraform.tfstate
"""


@pytest.fixture
def shop(rigger, modules):
    storage = {
        **MANIFEST["storage"],
        "tf_stack_root": "infra",
        "environments": [{"id": "stage", "stack": "api"}],
    }
    shop = Shop(rigger, modules, (), {"storage": storage})
    shop.stack = os.path.join(rigger.folder, "infra", "api")
    os.makedirs(shop.stack)
    for name, text in (("main.tf", TF), ("confirm", CONFIRM)):
        with open(os.path.join(shop.stack, name), "w") as file:
            file.write(text)
    os.chmod(os.path.join(shop.stack, "confirm"), 0o755)
    return shop


def runs(shop):
    with open(os.path.join(shop.stack, "terraform.tfstate")) as file:
        return file.read()


@pytest.mark.slow
def test_a_stack_is_planned_applied_and_confirmed(shop):
    shop.build("1")
    said = shop.deploy("stage", "--reason", "why").out
    assert said.index("terraform_data.api will be created") < said.index(
        "Creat", said.index("will be created") + 20
    )
    assert image("1") in runs(shop) and shop.deployments()[0]["status"] == "confirmed"
    assert sorted(os.listdir(shop.stack)) == [
        "confirm",
        "main.tf",
        "terraform.tfstate",
    ]
    shop.build("sick")
    said = shop.deploy("stage", code=5).err
    assert "no check confirmed it" in said and "the service is sick" in said
    shop.deploy("stage", "--rollback")
    assert image("1") in runs(shop) and shop.label("stage") == {"api": image("1")}


def test_a_plan_that_fails_is_no_deployment(shop):
    shop.build("1")
    shop.deploy("stage")
    shop.build("broken")
    said = shop.deploy("stage", code=5)
    assert "the image is broken" in said.out + said.err
    assert shop.deployments()[-1]["status"] == "failed" and shop.label("stage") == {"api": image("1")}
    assert image("1") in runs(shop)


def test_a_stack_without_confirm(shop):
    os.unlink(os.path.join(shop.stack, "confirm"))
    shop.build("1")
    assert "has no script confirm that can be run" in shop.rigger("deploy", "stage", "-y", *FAST, code=3).err
    assert shop.deployments() == []
