"""A Terraform stack that carries deployments out: planned, shown, applied, and confirmed by its own script.

The real Terraform runs. What "runs" is the stack's output. The images come by the variables that the stack declares, or, with
records in AWS, by data sources of SSM, for which a stand-in of the provider asks moto's server.
"""

import json
import os
import shutil
import signal

import pytest
from helpers.aws_records import ACCOUNT, aws, aws_proxy, aws_server
from helpers.clusters import wait_for
from helpers.conversations import CTRL_C, ENTER, Conversation
from helpers.digitalocean_cloud import install_plugin
from helpers.shop import FAST, MANIFEST, Shop, image

__all__ = ["aws", "aws_proxy", "aws_server"]  # fixtures

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
# The second half of what a deployment changes: it takes as long as nobody lets it go on.
SLOW = """
resource "terraform_data" "slow" {
  triggers_replace = var.image_api
  depends_on       = [terraform_data.api]
  provisioner "local-exec" { command = "test -e go || exec sleep 60" }
}
"""
# As a project has it: it knows nothing of rigger.
TF_OF_SSM = """
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
variable "place" {}
data "aws_ssm_parameter" "api" { name = "/storage/images/${var.place}/api" }
resource "terraform_data" "api" {
  input = data.aws_ssm_parameter.api.value
  lifecycle {
    precondition {
      condition     = !strcontains(data.aws_ssm_parameter.api.value, "broken")
      error_message = "the image is broken"
    }
  }
}
output "api" {
  value     = terraform_data.api.output
  sensitive = true
}
"""


def stack(shop, folder, **files):
    """Write a stack, and return its folder."""
    path = os.path.join(shop.rigger.folder, "infra", folder)
    os.makedirs(path)
    for name, text in {"main.tf": TF, "confirm": CONFIRM, **files}.items():
        with open(os.path.join(path, name), "w") as file:
            file.write(text)
    os.chmod(os.path.join(path, "confirm"), 0o755)
    return path


@pytest.fixture
def shop(rigger, modules):
    storage = {
        **MANIFEST["storage"],
        "tf_stack_root": "infra",
        "environments": [{"id": "stage", "stack": "api"}],
    }
    shop = Shop(rigger, modules, (), {"storage": storage})
    shop.stack = stack(shop, "api")
    return shop


@pytest.fixture
def halting(shop):
    """One whose first image runs, and whose next takes until there is a file `go`."""
    with open(os.path.join(shop.stack, "slow.tf"), "w") as file:
        file.write(SLOW)
    let_go(shop)
    shop.build("1")
    shop.deploy("stage")
    os.unlink(os.path.join(shop.stack, "go"))
    shop.build("2")
    return shop


def let_go(shop):
    with open(os.path.join(shop.stack, "go"), "w"):
        pass


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


# Somebody says no, or stops it


def failed(shop, said, code):
    """The last deployment failed, why is on record, and nothing says that it runs; the one before is what is known."""
    last = shop.deployments()[-1]
    assert (last["status"], last["exit_code"]) == ("failed", code) and said in last["problem"]
    assert "\n" not in last["problem"]
    status = shop.status()
    assert (status["state"], status["certain"]) == ("failed", False)
    assert [one["uri"] for one in status["services"]] == [image("1")] * 2
    assert shop.label("stage") == {"api": image("1")}
    assert said in shop.rigger("release", "status").out


def ends_right(shop):
    let_go(shop)
    shop.deploy("stage")
    assert shop.status()["certain"] and image("1") not in runs(shop)
    assert shop.label("stage") == {"api": image("2")}
    assert [one["status"] for one in shop.deployments()][-1] == "confirmed"


@pytest.mark.slow
@pytest.mark.parametrize("term", ["xterm", "dumb"])
@pytest.mark.parametrize(
    ("keys", "code", "said"),
    [("n", 10, "It was declined"), (CTRL_C, 130, "Interrupted before the question was answered.")],
)
def test_a_plan_that_is_declined(halting, term, keys, code, said):
    before = runs(halting)
    talk = Conversation(halting.rigger, "stage", *FAST, command="deploy", term=term)
    enter = ENTER if term == "dumb" else ""
    talk.goes(("Deploy this to stage?", "y" + enter), ("terraform_data.slow must be replaced", ""))
    heard = talk.goes(("Apply this plan of Terraform?", keys + (enter if keys == "n" else ""))).ends(code)
    assert b"Traceback" not in heard
    assert runs(halting) == before
    failed(halting, said, code)
    ends_right(halting)


@pytest.mark.slow
@pytest.mark.parametrize("term", ["xterm", "dumb"])
@pytest.mark.parametrize("keys", ["n", CTRL_C])
def test_a_deployment_that_is_declined_before_it_began(halting, term, keys):
    before = runs(halting)
    talk = Conversation(halting.rigger, "stage", *FAST, command="deploy", term=term)
    talk.goes(("Deploy this to stage?", keys + (ENTER if keys == "n" and term == "dumb" else "")))
    talk.ends(10 if keys == "n" else 130)
    assert len(halting.deployments()) == 1 and halting.status()["certain"] and runs(halting) == before


def in_the_middle(shop, talk):
    """Wait until the first half is made, and the other is being made."""
    talk.sees("terraform_data.slow: Creating...")
    wait_for(lambda: os.path.exists(os.path.join(shop.stack, ".terraform.tfstate.lock.info")))


@pytest.mark.slow
@pytest.mark.parametrize("how", ["Ctrl-C", "SIGINT", "SIGTERM", "SIGHUP"])
def test_stopped_in_the_middle_of_apply(halting, how):
    """Ctrl-C reaches all that the terminal has, a signal rigger alone: both let Terraform end what it does, and save it."""
    talk = Conversation(halting.rigger, "stage", "-y", *FAST, command="deploy")
    in_the_middle(halting, talk)
    if how == "Ctrl-C":
        talk.types(CTRL_C)
    else:
        talk.child.kill(signal.Signals[how])
    heard = talk.ends(130)
    assert b"Traceback" not in heard and b"of which a part may be done" in b" ".join(heard.split())
    assert not os.path.exists(os.path.join(halting.stack, ".terraform.tfstate.lock.info"))
    assert image("2") in runs(halting), "the half that was made is in the state"
    failed(halting, "of which a part may be done", 130)
    ends_right(halting)


@pytest.mark.slow
def test_killed_in_the_middle_of_apply(halting):
    talk = Conversation(halting.rigger, "stage", "-y", *FAST, command="deploy")
    in_the_middle(halting, talk)
    talk.child.kill(signal.SIGKILL)
    talk.child.wait()
    assert halting.status()["state"] == "cut off" and not halting.status()["certain"]
    said = halting.deploy("stage", code=5).err  # Terraform, which nobody killed, is still at work
    assert "The state is locked by" in said
    let_go(halting)
    wait_for(lambda: not halting.rigger("deploy", "stage", "-y", *FAST, code=None).code, 90)
    ends_right(halting)


# With records in AWS


@pytest.mark.slow
def test_with_records_in_aws(rigger, modules, aws, aws_server, tmp_path):
    """The whole story of a team: what Terraform reads of SSM is what was deployed, and so the records say."""
    pytest.importorskip("tf", reason="the stand-in of the provider needs Python 3.11")
    storage = {
        **MANIFEST["storage"],
        "store": "aws",
        "account_id": ACCOUNT,
        "tf_stack_root": "infra",
        "environments": [{"id": "stage", "stack": "stage"}, {"id": "prod", "stack": "prod"}],
    }
    rigger.env |= {
        **aws,
        "TF_CLI_CONFIG_FILE": install_plugin(str(tmp_path / "plugin"), "aws", "hashicorp/aws", "6.0.0"),
    }
    shop = Shop(rigger, modules, (), {"storage": storage})
    rigger("release", "make-table", "-y")
    folders = {}
    for name in ("stage", "prod"):
        place = {"stage.auto.tfvars": f'place = "{name}"\n'}
        folders[name] = stack(shop, name, **{"main.tf": TF_OF_SSM, **place})

    def runs_in(place):
        with open(os.path.join(folders[place], "terraform.tfstate")) as file:
            runs = json.load(file)["outputs"]["api"]["value"]
        name = f"/storage/images/{place}/api"
        assert aws_server.client("ssm").get_parameter(Name=name)["Parameter"]["Value"] == runs
        [api] = [one for one in shop.status(place)["services"] if one["service"] == "api"]
        assert (api["uri"], shop.status(place)["certain"]) == (runs, True)
        return runs

    shop.build("1")
    shop.deploy("stage", "--reason", "the first")
    assert runs_in("stage") == image("1")
    shop.deploy("--promote", "stage", "prod", "--reason", "it is good")
    assert runs_in("prod") == image("1")
    shop.build("2")
    shop.deploy("stage")
    shop.deploy("--promote", "stage", "prod")
    assert runs_in("stage") == runs_in("prod") == image("2")
    shop.deploy("prod", "--rollback")
    assert (runs_in("stage"), runs_in("prod")) == (image("2"), image("1"))
    items = aws_server.client("dynamodb").scan(TableName="wellcome-releases-storage")["Items"]
    told = [
        (one["M"]["environment"]["M"]["id"]["S"], one["M"]["status"]["S"], one["M"]["description"]["S"])
        for item in sorted(items, key=lambda item: item["date_created"]["S"])
        for one in item["deployments"]["L"]
    ]
    assert sorted(told) == [
        ("prod", "confirmed", "it is good"),
        ("prod", "confirmed", "rollback"),
        ("prod", "rolled-back", "promoted from stage"),
        ("stage", "confirmed", ""),
        ("stage", "confirmed", "the first"),
    ]
    shop.build("broken")
    shop.deploy("stage", code=5)
    assert not shop.status("stage")["certain"]
    assert shop.label("stage") == {"api": image("2")}
    shop.deploy("--promote", "stage", "prod", code=2)
