"""A module has an origin: another one of the same name is not what a cluster was made with."""

import json
import os
import shutil

import pytest
from conftest import Rigger
from helpers.repositories import git, put

PLATFORM = """\
interface: 2
name: oak
role: platform
description: A tree
versions: git-tags
"""
NOTHING = "#!/bin/sh\n# Summary: nothing to do\n"
CONFIG = 'prompt "Which flavour?" FLAVOUR\nrigger-save-vars FLAVOUR\n'
SAYS = '#!/usr/bin/env bash\nset -eu\necho "deis ${0##*/} $FLAVOUR" >>"$CALLS"\n'
PROVIDER = "interface: 2\nname: local\nrole: provider\ndescription: Another of that name\n"


@pytest.fixture
def repository(tmp_path):
    """A platform's repository with a provider of interface 1 that is named like one that ships with rigger."""
    folder = str(tmp_path / "oak")
    os.makedirs(folder)
    git(folder, "init", "-q", "-b", "main")
    put(folder, "rigger/rigger.yml", PLATFORM)
    for verb in ("install", "deploy", "check", "undeploy"):
        put(folder, f"rigger/{verb}", NOTHING)
    put(folder, "contrib/digitalocean/config.sh", CONFIG)
    for verb in ("create", "check", "destroy"):
        put(folder, f"contrib/digitalocean/{verb}", SAYS)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    git(folder, "tag", "v1.0.0")
    return folder


@pytest.fixture
def calls(tmp_path, rigger):
    path = str(tmp_path / "calls")
    rigger.env["CALLS"] = path

    def read():
        with open(path) as file:
            lines = file.read().splitlines()
        os.unlink(path)
        return lines

    return read


def another_home(tmp_path, rigger, name="other"):
    home = str(tmp_path / name)
    os.makedirs(home)
    other = Rigger(home, str(tmp_path))
    other.env |= {"HOME": home, "RIGGER_HOME": os.path.join(home, ".rigger"), "CALLS": rigger.env["CALLS"]}
    return other


def write_local(folder):
    """Write a provider that is named like the one that ships with rigger."""
    put(folder, "rigger.yml", PROVIDER)
    put(folder, "install", NOTHING)
    for verb in ("create", "check", "destroy"):
        put(folder, verb, SAYS)


def configured(rigger, repository, provider="digitalocean", *more):
    rigger(
        "configure", "--no-input", "--trust", "--name", "oak", "--repository", f"file://{repository}",
        "--version", "v1.0.0", "--provider", provider, *more,
    )  # fmt: skip


def records(rigger, event):
    with open(rigger.path("environments", "oak", "audit.jsonl")) as file:
        return [record for record in map(json.loads, file) if record["event"] == event]


@pytest.mark.slow
def test_a_bundle_is_carried_on_by_its_own_scripts_though_rigger_has_a_provider_of_that_name(
    rigger, repository, calls, tmp_path
):
    configured(rigger, repository, "digitalocean", "--set", "FLAVOUR=sour")
    rigger("provision")
    assert calls() == ["deis create sour", "deis check sour"]
    known = records(rigger, "run-started")[-1]["provider_is"]
    assert (known["origin"], known["interface"], known["version"]) == ("repository", "1", "v1.0.0")
    bundle = str(tmp_path / "oak.rigger")
    rigger("save", "-o", bundle)
    other = another_home(tmp_path, rigger)
    said = other("configure", "--file", bundle, "--no-input", "--trust")
    assert "digitalocean" in said.out + said.err
    scripts = other.path("environments", "oak", "scripts", "provider", "digitalocean")
    assert other("config", "get", "PROVIDER").out.strip() == scripts
    other("checkout", "--trust")
    other("check")
    assert calls() == ["deis check sour"]
    other("destroy", "--yes")
    assert calls() == ["deis destroy sour"]


@pytest.mark.slow
def test_it_is_the_bundles_own_where_the_checkout_never_comes(rigger, repository, calls, tmp_path):
    configured(rigger, repository, "digitalocean", "--set", "FLAVOUR=sour")
    rigger("provision")
    bundle = str(tmp_path / "oak.rigger")
    rigger("save", "--with-checkout", "-o", bundle)
    calls()
    shutil.rmtree(repository)
    other = another_home(tmp_path, rigger)
    other("configure", "--file", bundle, "--no-input", "--trust")
    other("check")
    other("destroy", "--yes")
    assert calls() == ["deis check sour", "deis destroy sour"]


@pytest.mark.slow
def test_what_hides_the_one_that_a_cluster_was_made_with_is_passed_over(rigger, repository, calls, tmp_path):
    configured(rigger, repository, "local", "--set", "NODES=1")
    rigger("provision")
    assert records(rigger, "run-started")[-1]["provider_is"]["origin"] == "rigger"
    for folder in (rigger.path("providers", "local"), str(tmp_path / "mine" / "local")):
        write_local(folder)
    rigger("check")
    rigger.env["RIGGER_PROVIDER_PATH"] = str(tmp_path / "mine")
    rigger("check")
    rigger("provision", "--again")
    rigger("destroy", "--yes")
    assert not os.path.exists(rigger.env["CALLS"]), "none of them ran"
    rigger("configure", "--no-input")
    rigger("provision", code=5)  # with FLAVOUR unset it fails, but it is the one that comes first now
    assert records(rigger, "run-started")[-1]["provider_is"]["origin"] == "path"


@pytest.mark.slow
def test_another_one_of_its_name_is_refused_where_it_is_gone(rigger, repository, calls, tmp_path):
    mine = rigger.path("providers", "local")
    write_local(mine)
    rigger.env["FLAVOUR"] = "sweet"
    configured(rigger, repository, "local")
    rigger("provision")
    calls()
    shutil.move(mine, tmp_path / "away")
    for words in (["check"], ["destroy", "--yes"], ["provision"], ["provision", "--plan"]):
        said = rigger(*words, code=3).err
        assert "made with the provider local in ~/.rigger/providers (interface 2)" in said
        assert "local that ships with rigger (interface 2)" in said
        assert "Put it back into ~/.rigger/providers" in said
    shutil.move(tmp_path / "away", mine)
    put(mine, "check", SAYS + "# newer\n")
    rigger("check")
    rigger("destroy", "--yes")
    assert calls() == ["deis check sweet", "deis destroy sweet"]
    # Once it is gone, any may take its name.
    shutil.rmtree(mine)
    rigger("configure", "--no-input")
    rigger("provision")


def test_a_record_without_origins_holds_as_before(rigger, repository, calls, tmp_path):
    from helpers.audit_events import begun, tell

    from rigger.audit.cluster import ClusterHistory

    history = tell(
        ClusterHistory(), ("run-started", {"provider": "soil", "platform": "tree"}), begun("create")
    )
    assert history.cluster.made_with["PROVIDER"].origin == ""
