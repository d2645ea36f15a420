"""Vars files and answers files of somebody who would like to run something here, or to be sent the user's token."""

import os

import pytest
from helpers.clusters import Cluster

from rigger.envfile import file as envfile

TOKEN = "a-token-of-the-user"
PROVIDER = """
    questions:
      - {name: NODES, type: integer, min: 0, max: 9, default: 1}
      - {name: API, ask: Where is the API?, default: "http://127.0.0.1:9", advanced: true}
      - {name: TOOLS_DIR, type: path, optional: true, advanced: true}
      - {name: CLOUD_TOKEN, type: secret, check: bin/check-token}
"""


@pytest.fixture
def cluster(rigger, modules):
    cluster = Cluster(rigger, modules, PROVIDER, "")
    cluster.script("provider", "bin/check-token", 'echo "$API" >>"$NOTED"')
    rigger.env["RIGGER_CLOUD_TOKEN"] = TOKEN
    return cluster


def write(cluster, name="prod.vars", **values):
    usual = {"PROVIDER": "soil", "PLATFORM": "tree"}
    path = os.path.join(cluster.rigger.folder, name)
    with open(path, "wb") as file:
        file.write(envfile.render(usual | values))
    return path


def load(cluster, path, *options, flag="--file", **settings):
    return cluster.rigger("configure", "--no-input", flag, path, *options, **settings)


def test_names_of_the_modules_ask_nothing(cluster):
    load(cluster, write(cluster, NODES="3", API="http://127.0.0.1:9"))


@pytest.mark.parametrize(
    "name, value, why",
    [
        ("TAR_OPTIONS", "--to-command=x", "unknown name"),
        ("AWS_ENDPOINT_URL", "http://evil", "unknown name"),
        ("API", "https://evil.example.com", "address"),
        ("API", "evil.example.com:443", "address"),
        ("TOOLS_DIR", "/tmp/x", "path"),
    ],
)
def test_what_a_vars_file_steers_is_agreed_to_first(cluster, name, value, why):
    path = write(cluster, NODES="3", **{name: value})
    said = load(cluster, path, code=2)
    assert why in said.out and f"{name}={value}" in said.out and "NODES=" not in said.out
    assert (
        "--trust" in said.err
        and cluster.ran() == []
        and not os.path.exists(cluster.rigger.path("environments", "prod"))
    )
    load(cluster, path, "--trust")
    load(cluster, path)
    cluster.rigger("configure", "--no-input", "--file", cluster.rigger.path("environments", "prod", "vars"))


def test_a_module_that_lies_somewhere(cluster):
    folder = cluster.folders["provider"]
    said = load(cluster, write(cluster, PROVIDER=folder), code=2)
    assert f"PROVIDER={folder}" in said.out and cluster.ran() == []


def test_what_the_user_says_counts_more(cluster):
    path = write(cluster, API="http://evil.example.com")
    load(cluster, path, "--set", "API=http://127.0.0.1:8")
    assert {*cluster.ran()} == {"provider/bin/check-token", "http://127.0.0.1:8"}


def test_a_secret_under_an_unknown_name_is_not_shown(cluster):
    said = load(cluster, write(cluster, OTHER_TOKEN="dont-show-me"), code=2)
    assert "OTHER_TOKEN=********" in said.out and "dont-show-me" not in said.out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_an_answers_file_of_another_user(cluster):
    path = write(cluster, "answers.env", API="http://evil.example.com")
    load(cluster, path, "--name", "one", flag="--answers")
    os.chown(path, 65534, 65534)
    cluster.ran()
    with open(path, "a") as file:
        file.write("export NODES=2\n")
    load(cluster, path, "--name", "two", flag="--answers")  # the user has said the same before
    write(cluster, "answers.env", API="http://worse.example.com")
    cluster.ran()
    assert (
        "API=http://worse.example.com" in load(cluster, path, "--name", "three", flag="--answers", code=2).out
    )
    assert cluster.ran() == []
