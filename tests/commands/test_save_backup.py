"""rigger save: the cluster's data, which is in a bundle only with --with-backup."""

import json
import os
import shlex

import pytest
from helpers.clusters import MAKE_NODES
from helpers.second_machine import TOKEN, contents, elsewhere, fields, forest, save


@pytest.fixture
def cluster(rigger, modules):
    cluster = forest(rigger, modules)
    cluster.configure("--set", "VERSION=1.9.0", env={"RIGGER_TOKEN": TOKEN})
    return cluster


@pytest.fixture
def living(cluster):
    cluster.rigger("provision")
    return cluster


@pytest.fixture
def elm(rigger, tmp_path):
    """Another machine, whose user has no environment yet."""
    return elsewhere(rigger, tmp_path)


def backup(cluster, *words) -> str:
    return json.loads(cluster.rigger("backup", "-o", "json", *words).out)["file"]


def report(cluster, *words) -> dict:
    return json.loads(cluster.rigger("save", "-o", "x.rigger", "--json", *words).out)


def load(machine, path, *words, code=0):
    return machine(
        "configure", "--file", path, "--no-input", "--trust", *words, env={"RIGGER_TOKEN": TOKEN}, code=code
    )


def test_where_there_is_no_cluster_there_is_no_data(cluster):
    assert "data" not in cluster.rigger("save").out
    assert report(cluster)["last_backup"] is None


@pytest.mark.slow
def test_what_is_not_in_it_is_said(living):
    assert "The cluster's data is not in it; there is no backup" in living.rigger("save").out
    path = backup(living)
    said = living.rigger("save").out
    assert f"The cluster's data is not in it; last backup: {path}, of 20" in said and "--with-backup" in said
    found = report(living)
    assert found["backup"] == "" and found["last_backup"]["file"] == path and found["last_backup"]["here"]


def test_a_platform_that_makes_none(living):
    os.unlink(os.path.join(living.folders["platform"], "backup"))
    assert "there is no backup.\n" in living.rigger("save").out


@pytest.mark.slow
def test_a_backup_elsewhere_counts_too_and_is_told_when_it_is_gone(living, tmp_path):
    inside = backup(living)
    path = backup(living, "-f", "mine")
    os.utime(path, (2e9, 2e9))
    assert report(living)["last_backup"]["file"] == path
    os.unlink(path)
    assert report(living)["last_backup"]["file"] == inside
    os.unlink(inside)
    said = living.rigger("save").out
    assert "last backup: " in said and "which is not on this machine now" in said
    refused = living.rigger("save", "--with-backup", code=2).err
    assert "The last backup of wood is not here: " in refused


@pytest.mark.slow
def test_a_backup_of_an_earlier_cluster_is_no_backup_of_this_one(living):
    path = backup(living)
    backup(living, "-f", "mine")
    os.utime(path, (1e9, 1e9))
    living.rigger("destroy", "-y")
    living.rigger("provision")
    assert report(living)["last_backup"] is None


def test_without_a_backup_none_can_be_packed(living):
    refused = living.rigger("save", "-o", "x.rigger", "--with-backup", code=2).err
    assert "There is no backup" in refused and '"rigger backup"' in refused
    assert not os.path.exists(os.path.join(living.rigger.folder, "x.rigger"))


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("-f", "a file of mine")], ids=["inside", "elsewhere"])
def test_the_newest_backup_travels_and_is_restored(living, elm, tmp_path, words):
    backup(living)
    living.script("platform", "backup", 'echo newest >"$RIGGER_BACKUP_FILE"')
    os.utime(backup(living, *words), (2e9, 2e9))
    path = save(living.rigger, tmp_path, "--with-backup")
    name = fields(path)["backup"]
    for made in [
        *(os.path.join(living.rigger.folder, word) for word in words[1:]),
        *(living.file("backups", n) for n in os.listdir(living.file("backups"))),
    ]:
        os.unlink(made)  # the other machine has none of them
    assert [n for n in contents(path) if n.startswith("backups/")] == [name]
    assert living.rigger("bundle", "diff", path).out.startswith("No difference")
    loaded = load(elm, path)
    there = elm.path("environments", "wood", name)
    assert "\nA backup of its data came along.\n" in loaded.out
    assert f"\n    rigger restore {shlex.quote(there)}\n" in loaded.out
    with open(there) as file:
        assert file.read() == "newest\n"
    elm("restore", there, "-y")
    with open(elm.path("environments", "wood", "modules", "tree", "restored")) as file:
        assert file.read() == "newest\n"
    assert json.loads(elm("save", "--json").out)["last_backup"]["file"] == there


@pytest.mark.slow
def test_what_is_backed_up_here_stays_when_a_bundle_brings_a_backup(living, elm, tmp_path):
    backup(living)
    path = save(living.rigger, tmp_path, "--with-backup")
    name = fields(path)["backup"]
    load(elm, path)
    for folder in (elm.path("environments", "wood", "backups"),):
        with open(os.path.join(folder, "20200101T000000.backup"), "w") as file:
            file.write("older\n")
    living.rigger("config", "set", "COLOUR=blue")
    load(elm, save(living.rigger, tmp_path, "--with-backup", name="newer.rigger"))
    assert sorted(os.listdir(elm.path("environments", "wood", "backups"))) == [
        "20200101T000000.backup", os.path.basename(name),
    ]  # fmt: skip


@pytest.mark.slow
def test_another_backup_of_the_same_name_is_not_replaced(living, elm, tmp_path):
    backup(living)
    path = save(living.rigger, tmp_path, "--with-backup")
    load(elm, path)
    here = elm.path("environments", "wood", fields(path)["backup"])
    with open(here, "w") as file:
        file.write("mine\n")
    living.rigger("config", "set", "COLOUR=blue")
    refused = load(elm, save(living.rigger, tmp_path, "--with-backup", name="newer.rigger"), code=9)
    assert "another backup" in refused.err and here in refused.err
    with open(here) as file:
        assert file.read() == "mine\n"


@pytest.mark.slow
def test_a_backup_with_a_secret_is_packed_encrypted_or_not_at_all(living, elm, tmp_path):
    living.script("platform", "backup", 'printf %s "$TOKEN" >"$RIGGER_BACKUP_FILE"')
    os.utime(made := backup(living), (1.7e9, 1.7e9))
    refused = living.rigger("save", "-o", "x.rigger", "--with-backup", code=9).err
    assert f"{made} holds a secret" in refused and "--with-secrets" in refused
    (tmp_path / "passphrase").write_text("open sesame\n")
    sealed = ("--passphrase-file", tmp_path / "passphrase")
    path = save(living.rigger, tmp_path, "--with-backup", "--with-secrets", *sealed)
    assert not [name for name in contents(path) if name.startswith("backups/")]
    load(elm, path, *sealed)
    there = elm.path("environments", "wood", fields(path)["backup"])
    with open(there) as file:
        assert file.read() == TOKEN
    assert os.stat(there).st_mtime == 1.7e9


@pytest.mark.slow
def test_a_suspended_cluster_is_resumed_where_its_backup_came_along(living, elm, tmp_path):
    living.script("provider", "suspend")
    living.script("provider", "resume", MAKE_NODES)
    living.rigger("suspend", "-y")
    assert "suspended, and its data is not in the bundle" in living.rigger("save").out
    path = save(living.rigger, tmp_path, "--with-backup")
    load(elm, path)
    elm("resume")
    with open(elm.path("environments", "wood", "modules", "tree", "restored")) as file:
        assert file.read() == "data\n"


# destroy, forget, configure


@pytest.mark.slow
def test_destroy_says_whether_a_backup_exists(living):
    said = living.rigger("destroy", code=2).out
    assert 'There is no backup of its data: "rigger -e wood backup" makes one.' in said
    path = backup(living)
    found = json.loads(living.rigger("destroy", "-y", "-o", "json").out)
    assert found["backup"]["file"] == path and found["backup"]["here"]


def test_destroy_names_the_last_backup_before_it_asks(living):
    path = backup(living, "-f", "mine")
    assert f"What stays of its data is the last backup: {path}, of 20" in living.rigger("destroy", "-y").out
    assert os.path.isfile(path)


def test_configure_says_when_another_environment_becomes_current(cluster):
    assert "current environment now" not in cluster.configure().out
    said = cluster.configure("--name", "other").out
    assert (
        "other is the current environment now, no longer wood.\n  Go back to it:\n    rigger use wood\n"
        in said
    )
    assert "current environment now" not in cluster.configure("--name", "other").out


def test_a_bundle_says_it_too(cluster, elm, tmp_path):
    path = save(cluster.rigger, tmp_path)
    elm("configure", "--defaults", "--name", "mine", "--provider", "soil", "--platform", "tree")
    assert (
        "wood is the current environment now, no longer mine.\n  Go back to it:\n    rigger use mine\n"
        in load(elm, path).out
    )
