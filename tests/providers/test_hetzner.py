"""The provider `hetzner`: a manifest and a .tf file, nothing else, with a real Terraform and a stand-in for its plugin."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from helpers.digitalocean_cloud import install_plugin
from helpers.same_answers import same_answers

from rigger.modules.search import folders

pytestmark = [
    pytest.mark.skipif(not shutil.which("terraform"), reason="there is no terraform on the PATH"),
    pytest.mark.skipif(
        sys.version_info < (3, 11), reason="the PyPI package tf, for stand-in plugins, needs 3.11"
    ),
]


def folder():
    return folders("provider", os.devnull)["hetzner"]


def test_it_is_a_folder_without_a_program():
    assert sorted(os.listdir(folder())) == ["main.tf", "prices.yml", "rigger.yml"]
    done = subprocess.run(["terraform", "fmt", "-check", "-diff", folder()], capture_output=True)
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.slow
def test_a_cluster_lives_and_dies(rigger, tmp_path):
    key, store = str(tmp_path / "key"), str(tmp_path / "cloud.json")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    tfrc = install_plugin(str(tmp_path), "hcloud", "hetznercloud/hcloud", "1.63.0")
    rigger.env.update(
        TF_CLI_CONFIG_FILE=tfrc, HCLOUD_STAND_IN=store, RIGGER_READY_TIMEOUT="0"
    )  # no sshd is there

    def things(kind):
        with open(store) as file:
            return [thing for thing in json.load(file).values() if thing["_type"] == kind]

    def nodes():
        with open(rigger.path("environments", "h", "inventory.json")) as file:
            return json.load(file)

    words = (
        "--provider",
        "hetzner",
        "--platform",
        "noop",
        "--set",
        f"SSH_KEY={key}",
        "--set",
        "LOCATION=hel1",
        "--set",
        "PLATFORM_FROM=198.51.100.0/24",
    )
    rigger("configure", "--no-input", "--name", "h", *words, env={"HCLOUD_TOKEN": "t0ken-of-mine"})
    refused = rigger("provision", code=2)
    assert "Make these machines, for about 17.97 EUR a month?" in refused.err and not os.path.exists(store)
    said = rigger("provision", "-y", "-v")
    assert "t0ken-of-mine" not in said.out + said.err
    assert [node["name"] for node in nodes()] == ["node-1", "node-2", "node-3"]
    assert {server["location"] for server in things("server")} == {"hel1"}
    assert nodes()[0]["private_address"] == "10.0.1.10" and nodes()[0]["ssh"]["key"] == key
    assert things("ssh_key")[0]["public_key"] == open(f"{key}.pub").read().strip()
    rigger("check")
    rigger("config", "set", "NODES=1")
    rigger("provision", "-y")
    assert len(things("server")) == len(nodes()) == 1
    os.unlink(f"{key}.pub")
    rigger("check")
    with open(store, "r+") as file:
        cloud = json.load(file)
        next(thing for thing in cloud.values() if thing["_type"] == "server")["server_type"] = "cx53"
        file.seek(0)
        file.truncate()
        json.dump(cloud, file)
    assert "hcloud_server.node[0]" in rigger("audit", "-v", code=8).out
    rigger("destroy", "-y")
    with open(store) as file:
        assert json.load(file) == {}


@pytest.mark.slow
def test_the_questions_as_data_give_the_same_answers_as_the_prompts(rigger, tmp_path):
    key = str(tmp_path / "key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    words = ("--provider", "hetzner", "--platform", "noop", "--set", f"SSH_KEY={key}")
    typed = {"HCLOUD_TOKEN": "t" * 64, "PLATFORM_FROM": "198.51.100.0/24"}
    asked = same_answers(rigger, *words, typed=typed)
    assert {"HCLOUD_TOKEN", "LOCATION", "NODES", "SERVER_TYPE", "SSH_FROM"} <= {*asked}
